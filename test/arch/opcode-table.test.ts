import { describe, expect, it } from 'vitest';
import { decodeInsn, i386, x86_64, X86Insn, type ProbePlan } from '../../src/arch/index.js';
import { linuxVerdict, type LinuxVerdict } from './linux-verdict.js';
import { ONE_BYTE, ONE_BYTE_32, TWO_BYTE, TWO_BYTE_32 } from './opcode-table.js';

const ADDRESS = 0xc100_0000n;

interface Row {
  readonly text: string;
  readonly opcodes: ReadonlySet<number>;
  readonly digits: ReadonlySet<number> | null;
  readonly operand: string | null;
  readonly class: string;
  readonly plan: string;
}

function numbers(words: readonly string[]): Set<number> {
  return new Set(
    words.flatMap((word) => {
      const [from, to = from] = word.split('-').map((digits) => Number.parseInt(digits, 16)) as [number, number?];
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }),
  );
}

function parseRow(text: string): Row {
  const [which, insnClass, plan] = text.split(' | ') as [string, string, string];
  const operand = /\b(reg|mem)$/.exec(which)?.[1] ?? null;
  const [opcodes, digits] = which.replace(/ (reg|mem)$/, '').split(' /') as [string, string?];
  return {
    text,
    opcodes: numbers(opcodes.split(' ')),
    digits: digits === undefined ? null : numbers(digits.split(' ')),
    operand,
    class: insnClass,
    plan,
  };
}

interface Variant {
  readonly opcode: number;
  readonly digit: number;
  readonly operand: 'reg' | 'mem';
  readonly bytes: Uint8Array;
}

/** Each opcode with each value of ModRM.reg, with a register and with memory behind it. */
function variants(escape: readonly number[]): Variant[] {
  return Array.from({ length: 256 * 16 }, (_, i): Variant => {
    const [opcode, digit, isMemory] = [i >> 4, (i >> 1) & 7, (i & 1) === 1];
    const modrm = (isMemory ? 0 : 0xc0) | (digit << 3);
    const bytes = Uint8Array.from([...escape, opcode, modrm, ...new Array<number>(13).fill(0)]);
    return { opcode, digit, operand: isMemory ? 'mem' : 'reg', bytes };
  });
}

function rowOf(rows: readonly Row[], { opcode, digit, operand }: Variant): Row {
  const row = rows.find(
    (each) =>
      each.opcodes.has(opcode) &&
      (each.digits?.has(digit) ?? true) &&
      (each.operand === null || each.operand === operand),
  );
  if (row === undefined) throw new Error(`no row for ${opcode.toString(16)} /${digit} ${operand}`);
  return row;
}

function planText(plan: ProbePlan): string {
  if (plan.kind === 'refuse') return `refuse ${plan.errno} ${plan.reason}`;
  return plan.kind === 'simulate' && plan.relocate === undefined ? 'simulate!' : plan.kind;
}

function expectedPlan(row: Row, insn: X86Insn): string {
  // Without memory there is nothing that a slot could do better.
  return row.plan === 'simulate' && !insn.memory ? 'simulate!' : row.plan;
}

const decoded = new X86Insn();

/** What is wrong with one variant, or null. */
function mistake(rows: readonly Row[], variant: Variant, bits: 32 | 64): string | null {
  const row = rowOf(rows, variant);
  if (row.plan === 'bytes' || row.plan.startsWith('first of')) return null;
  const insn = decodeInsn(variant.bytes, 0, decoded, bits);
  const plan = planText((bits === 64 ? x86_64 : i386).probing.plan(variant.bytes, ADDRESS));
  const what = `${Buffer.from(variant.bytes.subarray(0, 4)).toString('hex')} (${row.text})`;
  if (row.plan === 'none') {
    return insn === null && plan.startsWith('refuse EILSEQ') ? null : `${what} is an instruction`;
  }
  if (insn === null) return `${what} is none`;
  if (insn.class !== row.class) return `${what} has class ${insn.class}`;
  const expected = expectedPlan(row, insn);
  if (!expected.startsWith('refuse')) return plan === expected ? null : `${what}: ${plan}`;
  const [, errno, ...reason] = expected.split(' ');
  return plan.startsWith(`refuse ${errno} `) && plan.includes(reason.join(' ')) ? null : `${what}: ${plan}`;
}

const tables = [
  { title: 'the one-byte map, 64 bits', escape: [], bits: 64, rows: ONE_BYTE },
  { title: 'the one-byte map, 32 bits', escape: [], bits: 32, rows: [...ONE_BYTE_32, ...onlyInstructions(ONE_BYTE)] },
  { title: 'the map after 0F, 64 bits', escape: [0x0f], bits: 64, rows: TWO_BYTE },
  { title: 'the map after 0F, 32 bits', escape: [0x0f], bits: 32, rows: [...TWO_BYTE_32, ...TWO_BYTE] },
] as const;

/** Rows of 64-bit mode that say what it does not have are not true of 32-bit mode, nor is that of movsxd. */
function onlyInstructions(rows: readonly string[]): readonly string[] {
  return rows.filter((row) => !/^((0f|06) .*\| (bytes|none)$|63)/.test(row));
}

describe('every opcode has its class, its plan and, where it is refused, its reason', () => {
  it.each(tables)('$title', ({ escape, bits, rows }) => {
    const parsed = rows.map(parseRow);
    const mistakes = variants(escape).map((variant) => mistake(parsed, variant, bits));
    expect(mistakes.filter((text) => text !== null)).toEqual([]);
  });

  it.each(tables)('$title: each row is about something', ({ escape, rows }) => {
    const parsed = rows.map(parseRow);
    const used = new Set(variants(escape).map((variant) => rowOf(parsed, variant)));
    expect(parsed.filter((row) => !used.has(row)).map(({ text }) => text)).toEqual([]);
  });
});

/** Where the plan is another than what Linux does with the instruction, and why. */
const DIFFERENCES: readonly { readonly what: RegExp; readonly linux: LinuxVerdict; readonly why: string }[] = [
  { what: /^(call|jmp)-indirect simulate!$/, linux: 'EOPNOTSUPP', why: 'targets in memory are simulated' },
  { what: /^far-transfer refuse/, linux: 'emulate', why: 'Linux emulates lret as if it were ret' },
  { what: /^(int|hlt|syscall|sysret) refuse/, linux: 'slot', why: 'Linux keeps them out of reach by its blacklist' },
  { what: /^system refuse EINVAL a trap behind swapgs/, linux: 'slot', why: 'likewise' },
  { what: /^ud refuse EINVAL/, linux: 'slot', why: 'Linux refuses those that its bug table names' },
  { what: /^mov-ss refuse EINVAL/, linux: 'slot', why: 'pop ss is refused, for which Linux has the number of pop ds' },
  { what: /16-bit operands cut/, linux: 'emulate', why: 'branches with 16-bit operands are refused' },
  { what: /simulate/, linux: 'slot', why: 'more is simulated' },
];

function isExplained(insnClass: string, plan: string, linux: LinuxVerdict): boolean {
  return DIFFERENCES.some((each) => each.linux === linux && each.what.test(`${insnClass} ${plan}`));
}

function agrees(plan: string, linux: LinuxVerdict): boolean {
  if (linux === 'emulate') return plan.startsWith('simulate');
  return linux === 'slot' ? plan === 'slot' : plan.startsWith(`refuse ${linux} `);
}

describe('what Linux does with an instruction under a kprobe', () => {
  const maps = [
    { bits: 64, escape: [] },
    { bits: 64, escape: [0x0f] },
    { bits: 32, escape: [] },
    { bits: 32, escape: [0x0f] },
  ] as const;
  const compared = maps.flatMap(({ bits, escape }) =>
    variants(escape).flatMap(({ bytes }) => {
      const insn = decodeInsn(bytes, 0, decoded, bits);
      if (insn === null || insn.map > 1 || insn.encoding !== 'none') return [];
      const text = planText((bits === 64 ? x86_64 : i386).probing.plan(bytes, ADDRESS));
      return {
        insnClass: insn.class,
        linux: linuxVerdict(insn),
        text,
        hex: Buffer.from(bytes.subarray(0, 4)).toString('hex'),
      };
    }),
  );

  it('is done here too, or the difference has a reason', () => {
    const unexplained = compared
      .filter(({ insnClass, linux, text }) => !agrees(text, linux) && !isExplained(insnClass, text, linux))
      .map(({ hex, insnClass, linux, text }) => `${hex} ${insnClass}: Linux ${linux}, here ${text}`);
    expect(unexplained).toEqual([]);
    expect(compared.filter(({ linux, text }) => agrees(text, linux)).length).toBeGreaterThan(3000);
  });

  it.each(DIFFERENCES)('differs where $why', ({ what, linux }) => {
    const seen = compared.filter((each) => each.linux === linux && what.test(`${each.insnClass} ${each.text}`));
    expect(seen.length).toBeGreaterThan(0);
  });
});

describe('0F 01 with registers', () => {
  it.each([
    ['f8', 'swapgs', 'refuse EINVAL'],
    ['f9', 'rdtscp', 'slot'],
    ['c8', 'monitor', 'slot'],
    ['ca', 'clac', 'slot'],
    ['cb', 'stac', 'slot'],
    ['d0', 'xgetbv', 'slot'],
    ['c1', 'vmcall', 'refuse EOPNOTSUPP'],
    ['c4', 'vmxoff', 'refuse EOPNOTSUPP'],
  ])('%s (%s) is planned as: %s', (modrm, _name, expected) => {
    const plan = x86_64.probing.plan(Uint8Array.of(0x0f, 0x01, Number.parseInt(modrm, 16)), ADDRESS);
    expect(planText(plan).startsWith(expected)).toBe(true);
  });
});
