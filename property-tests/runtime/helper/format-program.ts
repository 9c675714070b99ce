import * as fc from 'fast-check';
import { BpfFuncId, BpfMapFlag, BpfMapType, BpfPseudo, hi32, lo32, u64 } from '../../../src/base/index.js';
import { BPF_DW, call, exit, ldImm64, mov64Imm, stx, type Insn } from '../../../src/runtime/isa/index.js';
import type { SideBySide } from '../../../test/runtime/side-by-side.js';

export const OUTPUT_SIZE = 2048;
const ARGS_SIZE = 96;
const FORMAT_SIZE = 128;
const STRINGS = 'kscope\0a somewhat longer string\0\0caf\u00e9\0';
const stringBytes = new TextEncoder().encode(STRINGS);

/** An argument: a number, or the address of a string at this offset of the strings map. */
export type FormatArg = bigint | { readonly string: number };

/** Positions of the maps in a program's list. */
const Maps = { format: 0, strings: 1, args: 2, output: 3 } as const;

const flags = fc.array(fc.constantFrom('-', '0', ' ', '+'), { maxLength: 2 }).map((list) => list.join(''));
const width = fc.constantFrom('', '', '', '1', '4', '9', '20', '300');
const letters = fc.constantFrom(
  'd',
  'i',
  'u',
  'x',
  'X',
  'ld',
  'lu',
  'lx',
  'lld',
  'llu',
  'llx',
  'llX',
  'li',
  'c',
  's',
  's',
  'pks',
  'pus',
  'p',
  'px',
  'pK',
  'ps',
  'pS',
  'pI4',
  'pi4',
  'pI6',
  'pi6',
  'pB',
  '%',
  'o',
  'hd',
  'zu',
  'lc',
  'pq',
  'pk',
  'pI5',
  'e',
  '',
);
/** The hash that hides a pointer has as many digits as it has: its length is fixed only without a width. */
const conversion = fc
  .tuple(flags, width, letters)
  .map(([flag, field, letter]) => (letter === 'p' || letter === 'pK' ? `%${letter}` : `%${flag}${field}${letter}`));
const text = fc.constantFrom('', ' ', ', ', 'x', 'pid=', '\t', '\n', '\u00e9', '\u0001', '%%', '-', ')', '7');

const numbers = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 65n, 10n, 0xffff_ffffn, 0x8000_0000n, 0x7fff_ffff_ffff_ffffn, (1n << 64n) - 1n, 1n << 63n),
);
const stringArgs = fc.constantFrom(0, 7, 31, 32).map((offset) => ({ string: offset }));

/** Map values lie at other addresses here than in the kernel: only conversions that read there may get one. */
function argumentOf(conversionText: string): fc.Arbitrary<FormatArg> {
  return /s$|I[46]$|i[46]$/.test(conversionText) ? fc.oneof({ weight: 4, arbitrary: stringArgs }, numbers) : numbers;
}

export interface FormatCase {
  readonly format: string;
  readonly args: readonly FormatArg[];
}

const part = fc
  .tuple(text, conversion, text)
  .chain(([before, middle, after]) =>
    argumentOf(middle).map((arg) => ({ text: `${before}${middle}${after}`, arg, takes: !middle.endsWith('%') })),
  );

/** Formats that are mostly valid, with their arguments; one case in eight lacks the last one. */
export const formatCases: fc.Arbitrary<FormatCase> = fc
  .tuple(fc.array(part, { maxLength: 4 }), fc.nat(7))
  .map(([parts, chance]) => {
    // Where a percent sign in the text takes an argument, too, all that follow belong to other conversions.
    const inStep = parts.every((each) => each.text.split('%').length === 2);
    const taken = parts.filter((each) => each.takes).map((each) => each.arg);
    const args = taken.map((arg) => (inStep || typeof arg === 'bigint' ? arg : BigInt(arg.string)));
    return { format: parts.map((each) => each.text).join(''), args: chance === 0 ? args.slice(0, -1) : args };
  });

/** The maps that the programs below use, the format frozen. */
export async function prepareMaps(pair: SideBySide, format: string): Promise<void> {
  const readOnly = BpfMapFlag.BPF_F_RDONLY_PROG;
  const formatMap = pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: FORMAT_SIZE, flags: readOnly });
  const strings = pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: FORMAT_SIZE, flags: readOnly });
  pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: ARGS_SIZE });
  pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: OUTPUT_SIZE });
  const contents = [new TextEncoder().encode(format), stringBytes] as const;
  for (const [i, map] of [formatMap, strings].entries()) {
    const value = new Uint8Array(FORMAT_SIZE);
    value.set(contents[i]);
    map.ours.sysUpdate(new Uint8Array(4), value);
    map.ours.sysFreeze();
    void pair.linux.mapUpdate(map.slot, new Uint8Array(4), value);
    await pair.linux.mapFreeze(map.slot);
  }
}

function mapValue(register: number, map: number, offset = 0): Insn[] {
  return ldImm64(register, u64(map, offset), BpfPseudo.BPF_PSEUDO_MAP_VALUE);
}

function load(register: number, arg: FormatArg): Insn[] {
  if (typeof arg !== 'bigint') return mapValue(register, Maps.strings, arg.string);
  return ldImm64(register, u64(lo32(arg), hi32(arg)));
}

/** bpf_snprintf(output, size, format, args, 8 * n) */
export function snprintfProgram(args: readonly FormatArg[], size: number): Insn[] {
  const stores = args.flatMap((arg, i) => [...load(2, arg), ...mapValue(1, Maps.args), stx(BPF_DW, 1, 2, 8 * i)]);
  return [
    ...stores,
    ...mapValue(1, Maps.output),
    mov64Imm(2, size),
    ...mapValue(3, Maps.format),
    ...mapValue(4, Maps.args),
    mov64Imm(5, 8 * args.length),
    call(BpfFuncId.BPF_FUNC_snprintf),
    exit(),
  ];
}

/** bpf_trace_printk(format, size, a, b, c); missing arguments are 0. */
export function printkProgram(args: readonly FormatArg[], size: number): Insn[] {
  return [
    ...mapValue(1, Maps.format),
    mov64Imm(2, size),
    ...[0, 1, 2].flatMap((i) => load(3 + i, args[i] ?? 0n)),
    call(BpfFuncId.BPF_FUNC_trace_printk),
    exit(),
  ];
}
