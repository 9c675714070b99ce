import { beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../oracle/describe-with.js';
import { BareCpu } from './bare-cpu.js';
import { type InsnCase, Layout, randomCase } from './insn-case.js';
import { type InsnForm, insnForms } from './insn-forms.js';
import { type InsnResult, buildNative, runNatively } from './native-cpu.js';
import { Random } from './random.js';

const CASES_PER_FORM = Number(process.env['KSCOPE_INSN_CASES'] ?? 150);
const STATUS_FLAGS = 0xed5n;
const AF = 0x10;
const OF = 0x800;
const CF = 1;

const built = buildNative('x86-runner.c', ['-O1', '-pie', '-fPIE', '-mno-red-zone']);

/** The emulated twin of native/x86-runner.c. */
class EmulatedRunner {
  readonly #machine = new BareCpu(1 << 20);
  readonly #code: number;
  readonly #data: number;
  #vector = -1;

  constructor() {
    const machine = this.#machine;
    this.#code = machine.allocate(1);
    this.#data = machine.allocate(2);
    machine.map(BigInt(Layout.CODE), this.#code, 7n);
    machine.map(BigInt(Layout.DATA), this.#data, 7n | (1n << 63n));
    machine.map(BigInt(Layout.DATA + 4096), this.#data + 4096, 7n | (1n << 63n));
    machine.cpu.onException = (_cpu, vector) => (this.#vector = vector);
  }

  run(each: InsnCase): InsnResult {
    const { cpu, physical } = this.#machine;
    physical.write(this.#code, new Uint8Array(4096).fill(0xcc));
    physical.write(this.#code + 0x800, each.code);
    physical.write(this.#data, new Uint8Array(8192));
    physical.write(this.#data + Layout.WINDOW - Layout.DATA, each.window);
    each.regs.forEach((value, n) => this.#machine.setRegister(n, value));
    this.#machine.flags = each.flags;
    this.#machine.rip = BigInt(Layout.CODE_AT);
    cpu.setCpl(3);
    cpu.shutdown = null;
    cpu.halted = false;
    this.#vector = -1;
    cpu.run(1);
    const at = this.#data + Layout.WINDOW - Layout.DATA;
    const completed = cpu.shutdown === null;
    // The runner's signal handler sees int3 after the instruction where it completed.
    return {
      regs: Array.from({ length: 16 }, (_, n) => this.#machine.register(n)),
      rip: this.#machine.rip + (completed ? 1n : 0n),
      flags: this.#machine.flags,
      trap: completed ? 3 : this.#vector < 0 ? 3 : this.#vector,
      window: physical.bytes.slice(at, at + Layout.WINDOW_SIZE),
    };
  }
}

/** Flags that hardware does not define for this very case. */
function undefinedFlags(each: InsnCase): number {
  const fixed = each.form.undefinedFlags ?? 0;
  if (each.count <= 0) return fixed;
  const rotate = each.form.kind === 'shift' && (each.form.digit ?? 0) < 4;
  const overflow = each.count === 1 ? 0 : OF;
  const carry = !rotate && each.count > 8 * each.size ? CF : 0;
  return fixed | (rotate ? 0 : AF) | overflow | carry;
}

/** Cases whose result hardware does not define: a zero source of bsf and bsr, a 16-bit shld by more than 16. */
function undefinedResult(each: InsnCase, native: InsnResult): boolean {
  if (each.form.kind === 'scan') return (native.flags & 0x40n) !== 0n;
  return each.form.kind === 'double-shift' && each.count > 8 * each.size;
}

function describeCase(each: InsnCase): string {
  const code = [...each.code].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const regs = each.regs.map((value, n) => `r${n}=${value.toString(16)}`).join(' ');
  return `${each.form.name} [${code}] flags=${each.flags.toString(16)} address=${each.address.toString(16)} ${regs}`;
}

function comparable(each: InsnCase, result: InsnResult) {
  const mask = STATUS_FLAGS & ~BigInt(undefinedFlags(each));
  return {
    regs: result.regs.map((value) => value.toString(16)),
    rip: result.rip.toString(16),
    flags: (result.trap === 3 ? result.flags & mask : 0n).toString(16),
    // The subset has no #SS: stack accesses to non-canonical addresses raise #GP like all others.
    trap: result.trap === 12 ? 13 : result.trap,
    window: Buffer.from(result.window).toString('hex'),
  };
}

describeWith('the processor, instruction by instruction, against the real one', built, ({ path }) => {
  let emulated: EmulatedRunner;
  beforeAll(() => {
    emulated = new EmulatedRunner();
  });

  function check(form: InsnForm, seed: number): void {
    const random = new Random(seed);
    const cases = Array.from({ length: CASES_PER_FORM * form.sizes.length }, () => randomCase(form, random));
    const results = runNatively(path, cases);
    cases.forEach((each, i) => {
      const native = results[i];
      if (undefinedResult(each, native)) return;
      expect(comparable(each, emulated.run(each)), describeCase(each)).toEqual(comparable(each, native));
    });
  }

  it.each(insnForms.map((form, i) => ({ name: form.name, form, seed: 7919 * (i + 1) })))('$name', ({ form, seed }) =>
    check(form, seed),
  );
});
