import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfPseudo } from '../../../src/base/index.js';
import { createSim } from '../../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../../src/loader/index.js';
import {
  BpfMemory,
  BpfRuntime,
  createInterpreter,
  describeJit,
  disassemble,
  type Executable,
  formatWat,
  type JitModule,
  type Runtime,
} from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { describeModule } from '../../../src/runtime/jit/listing/describe-module.js';
import { readCode } from '../../../src/runtime/jit/wasm/code-reader.js';
import { FunctionWriter } from '../../../src/runtime/jit/wasm/function-writer.js';
import { mnemonics, prefixed } from '../../../src/runtime/jit/wasm/instructions.js';
import { readModule } from '../../../src/runtime/jit/wasm/module-reader.js';
import { ModuleWriter } from '../../../src/runtime/jit/wasm/module-writer.js';
import { ATOMIC_PREFIX, NO_RESULT, ValType, Wasm, WasmAtomic } from '../../../src/runtime/jit/wasm/opcodes.js';
import { describeWith } from '../../oracle/describe-with.js';
import { wat2wasm } from '../../oracle/wabt.js';
import { fixture } from '../interp/support.js';

const OBJECTS = ['opensnoop', 'biolatency', 'funclatency', 'profile'];

function programs(object: string): { runtime: Runtime; executables: Executable[] } {
  const runtime = new BpfRuntime(createSim({}), { engine: createInterpreter() });
  const spec = CollectionSpec.parse(readFileSync(`examples/${object}.bpf.o`));
  const { programs: loaded } = Collection.load(spec, runtime);
  return { runtime, executables: [...loaded.values()].map(({ program }) => program.executable) };
}

function compiled(...insns: readonly (isa.Insn | readonly isa.Insn[])[]): JitModule {
  const { load, runtime } = fixture({ engine: createInterpreter() });
  return describeJit([load(insns).executable], runtime);
}

const add = (r: number, by: number): isa.Insn => isa.alu64Imm(isa.BPF_ADD, r, by);

describe('describeJit', () => {
  it.each(OBJECTS)('shows each instruction of %s once, in the text of the kernel', (object) => {
    const { runtime, executables } = programs(object);
    for (const executable of executables) {
      const { functions } = describeJit([executable], runtime);
      const origins = functions.flatMap(({ insns }) => insns.flatMap((insn) => insn.origins));
      const shown = origins.flatMap(({ slot, text }) => (slot === undefined ? [] : [{ index: slot, text }]));
      expect(shown.toSorted((a, b) => a.index - b.index)).toEqual(disassemble(executable.insns));
    }
  });

  it('has the source line of each instruction', () => {
    const { runtime, executables } = programs('funclatency');
    const [{ insns }] = describeJit(executables, runtime).functions as [JitModule['functions'][0]];
    const call = insns.flatMap(({ origins }) => origins).find(({ text }) => text.includes('bpf_get_current_pid_tgid'));
    expect(call?.line?.text.trim()).toBe('struct call call = { .tid = bpf_get_current_pid_tgid(), .func = func };');
  });

  it('names functions, and tells programs from what kscope adds for callbacks', () => {
    const callback = [isa.mov64Imm(0, 0), isa.exit()];
    const { functions } = compiled(
      isa.ldImm64(2, 6n, BpfPseudo.BPF_PSEUDO_FUNC),
      isa.mov64Imm(1, 3),
      isa.mov64Imm(3, 0),
      isa.mov64Imm(4, 0),
      isa.call(181),
      isa.exit(),
      callback,
    );
    expect(functions.map(({ name, program }) => ({ name, program }))).toEqual([
      { name: 'prog', program: 'prog' },
      { name: 'subprog_1', program: 'prog' },
      { name: 'callback0_7', program: undefined },
    ]);
  });

  it.each(OBJECTS)('shows that the module of %s imports the memory and nothing else', (object) => {
    const { runtime, executables } = programs(object);
    expect(describeJit(executables, runtime).imports.map(({ kind }) => kind)).toEqual(['memory']);
  });

  it('tells where a loop has several entries', () => {
    const nested = compiled(isa.mov64Imm(0, 0), add(0, 1), isa.jmpImm(isa.BPF_JLT, 0, 100, -2), isa.exit());
    const tangled = compiled(
      isa.mov64Imm(0, 0),
      isa.jmpImm(isa.BPF_JEQ, 1, 1, 1),
      add(0, 3),
      add(0, 5),
      isa.jmpImm(isa.BPF_JLT, 0, 100, -3),
      isa.exit(),
    );
    expect([nested, tangled].map(({ functions }) => functions[0]?.isStructured)).toEqual([true, false]);
    expect(formatWat(tangled).join('\n')).toContain(';; a loop of this function has several entries');
    expect(formatWat(tangled).join('\n')).toContain('br_table');
  });
});

describe('formatWat', () => {
  it('puts instructions and comments beside the code', () => {
    const text = formatWat(compiled(isa.mov64Imm(0, -7), isa.exit())).map((line) => line.trim());
    const at = text.indexOf(';; 0: (b7) r0 = -7');
    expect(text.slice(at, at + 4)).toEqual([';; 0: (b7) r0 = -7', 'i64.const -7', 'local.set $r0', ';; 1: (95) exit']);
  });

  it('moves lines to the right with the nesting, but not for ever', () => {
    const diamonds = Array.from({ length: 200 }, () => [isa.jmpImm(isa.BPF_JEQ, 0, 7, 1), isa.exit()]).flat();
    const lines = formatWat(compiled(isa.mov64Imm(0, 0), diamonds, isa.exit()));
    expect(Math.max(...lines.map((line) => line.search(/\S/)))).toBe(64);
  });
});

describe('reading a module', () => {
  const { bytes, functions } = compiled(isa.mov64Imm(0, 7), isa.exit());
  const start = functions[0]?.start ?? 0;
  const changed = (at: number, ...values: readonly number[]): Uint8Array => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };

  it('gives back what was written', () => {
    // The program, and its batch.
    expect(functions).toHaveLength(2);
    expect(functions[0]?.locals).toContain(ValType.i64);
  });

  it.each([
    ['no module at all', new Uint8Array([1, 2, 3]), 'this is not version 1', 0],
    ['half a module', bytes.subarray(0, -4), 'end behind what holds them', undefined],
    ['a section nobody makes', changed(8, 11), 'there is no section 11 here', 8],
    ['sections in disorder', new Uint8Array([...bytes.subarray(0, 8), 10, 1, 0, 1, 1, 0]), 'no section 1 here', 11],
  ])('refuses %s', (_what, module, reason, offset) => {
    expect(() => readModule(module)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining(reason) as unknown }),
    );
    if (offset === undefined) return;
    expect(() => readModule(module)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ offset }) as unknown }),
    );
  });

  it('names the offset of an instruction it does not know', () => {
    const module = readModule(changed(start, 0xff));
    const [body] = module.functions;
    expect(() => body === undefined || readCode(module, body)).toThrow(
      expect.objectContaining({ detail: { offset: start }, message: expect.stringContaining('0xff') as unknown }),
    );
  });
});

describe('mnemonics', () => {
  it.each([
    ['i64Load8S', 'i64.load8_s'],
    ['i32WrapI64', 'i32.wrap_i64'],
    ['i64ExtendI32U', 'i64.extend_i32_u'],
    ['i32Extend8S', 'i32.extend8_s'],
    ['localTee', 'local.tee'],
    ['brTable', 'br_table'],
    ['unreachable', 'unreachable'],
  ] as const)('of %s is %s', (name, text) => {
    expect(mnemonics.get(Wasm[name])?.text).toBe(text);
  });

  it.each([
    ['i64Store8', 'i64.atomic.store8'],
    ['i64Load32U', 'i64.atomic.load32_u'],
    ['i64Add', 'i64.atomic.rmw.add'],
    ['i64Exchange32U', 'i64.atomic.rmw32.xchg_u'],
    ['i64CompareExchange', 'i64.atomic.rmw.cmpxchg'],
  ] as const)('of atomic %s is %s', (name, text) => {
    expect(mnemonics.get(prefixed(ATOMIC_PREFIX, WasmAtomic[name]))?.text).toBe(text);
  });
});

describeWith('compiled modules, printed and assembled by wabt,', wat2wasm(), ({ assemble }) => {
  const assembled = (module: JitModule): string => Buffer.from(assemble(formatWat(module).join('\n'))).toString('hex');

  it.each(OBJECTS)('are the same bytes for %s', (object) => {
    const { runtime, executables } = programs(object);
    const module = describeJit(executables, runtime);
    expect(assembled(module)).toBe(Buffer.from(module.bytes).toString('hex'));
  });

  it('are the same bytes for atomics in shared memory', () => {
    const wasm = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    const memory = new BpfMemory({ memory: wasm, maxBytes: 1 << 22 });
    const { load, runtime } = fixture({ engine: createInterpreter(), memory });
    const atomics = [isa.BPF_ADD, isa.BPF_XOR | isa.BPF_FETCH, isa.BPF_XCHG, isa.BPF_CMPXCHG].flatMap((op) => [
      isa.atomic(isa.BPF_DW, op, 10, 1, -8),
      isa.atomic(isa.BPF_W, op, 10, 1, -8),
    ]);
    const start = [isa.st(isa.BPF_DW, 10, -8, 0), isa.mov64Imm(0, 0), isa.mov64Imm(1, 1)];
    const module = describeJit([load([...start, ...atomics, isa.exit()]).executable], runtime);
    expect(formatWat(module).join('\n')).toContain('(memory 0 65536 shared)');
    expect(assembled(module)).toBe(Buffer.from(module.bytes).toString('hex'));
  });

  it('know every instruction there is a number for', () => {
    const module = describeModule(everyInstruction(), { functions: [], routines: new Map() });
    const shown = module.functions.flatMap(({ insns }) => insns.map(({ operation }) => operation));
    expect(new Set(shown)).toEqual(new Set([...mnemonics.values()].map(({ text }) => text)));
    const text = formatWat(module).join('\n');
    expect(Buffer.from(assemble(text, { validate: false }))).toEqual(Buffer.from(module.bytes));
  });
});

/** A module whose only function has each instruction at least once. It is not valid: nothing is on the stack. */
function everyInstruction(): Uint8Array {
  const writer = new ModuleWriter('shared');
  writer.table(7, 'table');
  const w = new FunctionWriter(1);
  for (const [code, { text, immediates, naturalAlign }] of mnemonics) {
    switch (immediates) {
      case 'block':
        w.op(code, code === Wasm.if ? ValType.i64 : NO_RESULT);
        if (code === Wasm.if) w.op(Wasm.else, Wasm.unreachable);
        w.end();
        break;
      case 'labels':
        w.brTable([0, 0], 0);
        break;
      case 'memory':
        if (code > 255) w.atomic(code & 0xff, 2 ** naturalAlign, 1000);
        else w.memory(code, 1000);
        break;
      case 'memories':
        if (text === 'memory.copy') w.memoryCopy();
        else w.memoryFill();
        break;
      case 'indirect':
        w.op(code, 0, 0);
        break;
      case 'none':
        if (code !== Wasm.else && code !== Wasm.end) w.op(code);
        break;
      default:
        w.op(code, 0);
    }
  }
  writer.define(writer.declare({ params: [ValType.i32], results: [] }, 'all'), w);
  return writer.finish();
}
