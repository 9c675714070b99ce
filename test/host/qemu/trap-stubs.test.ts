import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { trapStubCode } from '../../../src/host/qemu/traps/trap-stub-code.js';
import { linkTrapStub, TrapStub } from '../../../src/host/qemu/traps/trap-stub.js';

const BREAKPOINTS: Readonly<Record<string, string>> = {
  x86_64: 'cccccccc',
  'x86_64-pvpanic': 'cccccccc',
  arm64: '800020d4',
  riscv64: '02900290',
};

describe.each(Object.entries(trapStubCode))('the stub of %s', (name, code) => {
  it('is laid out as the parameters and the return trampoline are looked for', () => {
    const bytes = Buffer.from(code, 'hex');
    expect(bytes.length).toBe(TrapStub.size);
    expect(bytes.subarray(TrapStub.trampoline, TrapStub.trampoline + 4).toString('hex')).toBe(BREAKPOINTS[name]);
    expect(bytes.subarray(TrapStub.mailbox).every((byte) => byte === 0)).toBe(true);
  });

  it('takes the displaced instructions and its parameters', () => {
    const prologue = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const linked = linkTrapStub({ code, prologue, mailbox: 0x1122n, resume: 0x3344n, parameter: 0x5566n });
    const words = new DataView(linked.buffer);
    expect(linked.subarray(TrapStub.prologue, TrapStub.prologue + 8)).toEqual(prologue);
    expect(words.getBigUint64(TrapStub.mailbox, true)).toBe(0x1122n);
    expect(words.getBigUint64(TrapStub.resume, true)).toBe(0x3344n);
    expect(words.getBigUint64(TrapStub.parameter, true)).toBe(0x5566n);
    expect(() => linkTrapStub({ code, prologue: new Uint8Array(33), mailbox: 0n, resume: 0n, parameter: 0n })).toThrow(
      RangeError,
    );
  });
});

const tools = ['clang-19', 'llvm-objcopy-19', 'llvm-readobj-19'];
const absent = tools.find((tool) => spawnSync(tool, ['--version']).error !== undefined);
const assembler: { readonly assembler: string } | Unavailable =
  absent === undefined ? { assembler: 'clang-19' } : { unavailable: `${absent} is not installed` };

describeWith('the committed code of the stubs', assembler, () => {
  it('is what their sources assemble to', () => {
    const made = execFileSync(process.execPath, ['scripts/build-trap-stubs.mjs', '--print'], { encoding: 'utf8' });
    expect(readFileSync('src/host/qemu/traps/trap-stub-code.ts', 'utf8')).toBe(made);
  });
});
