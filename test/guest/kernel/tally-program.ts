import type { PtRegsLayout } from '../../../src/arch/index.js';
import { BpfFuncId, BpfMapType, BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import type { Machine } from '../../../src/machine/index.js';
import {
  alu64Imm,
  atomic,
  BPF_ADD,
  BPF_DW,
  BPF_JEQ,
  type BpfMap,
  type BpfProgram,
  call,
  exit,
  type Insn,
  jmpImm,
  ldImm64,
  ldx,
  mov64Imm,
  mov64Reg,
  st,
  stx,
} from '../../../src/runtime/index.js';

type Insns = readonly Insn[];

/** Something of a hit that goes into the key its program counts under. */
export interface TallyPart {
  readonly size: number;
  /** Puts it on the stack at `at`; r6 is the context. */
  insns(at: number, layout: PtRegsLayout): Insns;
  /** As text. */
  show(bytes: DataView): string;
}

const number = (bytes: DataView): string => String(bytes.getBigInt64(0, true));

/** A 64-bit number that a helper answers. */
function answerOf(helper: number): TallyPart {
  return { size: 8, insns: (at) => [call(helper), stx(BPF_DW, 10, 0, at)], show: number };
}

/** Text that a helper writes, with its address and size in r1 and r2, from what `from` has put into r3. */
function textBy(helper: number, size: number, from: TallyPart['insns']): TallyPart {
  return {
    size,
    insns: (at, layout) => [
      ...from(at, layout),
      mov64Reg(1, 10),
      alu64Imm(BPF_ADD, 1, at),
      mov64Imm(2, size),
      call(helper),
    ],
    show: (bytes) => new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset, size)).split('\0', 1)[0],
  };
}

const argumentTo = (to: number, index: number, layout: PtRegsLayout): Insn =>
  ldx(BPF_DW, to, 6, 8 * layout.args[index]);

export const cpu = answerOf(BpfFuncId.BPF_FUNC_get_smp_processor_id);
export const pidTgid = answerOf(BpfFuncId.BPF_FUNC_get_current_pid_tgid);
export const task = answerOf(BpfFuncId.BPF_FUNC_get_current_task);
export const comm = textBy(BpfFuncId.BPF_FUNC_get_current_comm, 16, () => []);

/** A register of the hit. */
function register(slotOf: (layout: PtRegsLayout) => number): TallyPart {
  return {
    size: 8,
    insns: (at, layout) => [ldx(BPF_DW, 1, 6, 8 * slotOf(layout)), stx(BPF_DW, 10, 1, at)],
    show: number,
  };
}

/** An argument of the function, 0 being the first. */
export const argument = (index: number): TallyPart => register(({ args }) => args[index]);
/** What the function returns. */
export const returned = register(({ ret }) => ret);
/** Where the probe stands. */
export const place = register(({ ip }) => ip);

/** The string that an argument points to. */
export function textAt(index: number): TallyPart {
  return textBy(BpfFuncId.BPF_FUNC_probe_read_kernel_str, 8, (_at, layout) => [argumentTo(3, index, layout)]);
}

/** The string that the first word behind an argument points to. */
export function textBehind(index: number): TallyPart {
  return textBy(BpfFuncId.BPF_FUNC_probe_read_kernel_str, 8, (at, layout) => [
    mov64Reg(1, 10),
    alu64Imm(BPF_ADD, 1, at),
    mov64Imm(2, 8),
    argumentTo(3, index, layout),
    call(BpfFuncId.BPF_FUNC_probe_read_kernel),
    ldx(BPF_DW, 3, 10, at),
  ]);
}

/** A BPF program that counts its runs, apart for each value of what it looks at. */
export class TallyProgram {
  readonly program: BpfProgram;
  readonly #map: BpfMap;
  readonly #parts: readonly TallyPart[];

  constructor(machine: Machine, name: string, parts: readonly TallyPart[]) {
    this.#parts = parts;
    const keySize = parts.reduce((sum, { size }) => sum + size, 0);
    this.#map = machine.runtime.createMap({
      name,
      type: BpfMapType.BPF_MAP_TYPE_HASH,
      keySize,
      valueSize: 8,
      maxEntries: 1024,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
    this.program = machine.runtime.loadProgram({
      name,
      type: BpfProgType.BPF_PROG_TYPE_KPROBE,
      expectedAttachType: 0,
      license: 'GPL',
      maps: [this.#map],
      insns: tallyInsns(parts, keySize, machine.host.arch.ptRegs),
    });
  }

  /** Runs by what was seen, its parts separated by spaces. */
  get rows(): Readonly<Record<string, number>> {
    const rows: [string, number][] = [];
    let key = this.#map.sysNextKey(null);
    for (; key instanceof Uint8Array; key = this.#map.sysNextKey(key)) {
      const value = this.#map.sysLookup(key) as Uint8Array;
      rows.push([this.#show(key), Number(viewOf(value).getBigUint64(0, true))]);
    }
    return Object.fromEntries(rows);
  }

  get runs(): number {
    return Object.values(this.rows).reduce((sum, count) => sum + count, 0);
  }

  #show(key: Uint8Array): string {
    let at = 0;
    return this.#parts.map((part) => part.show(viewOf(key.slice(at, (at += part.size))))).join(' ');
  }
}

function tallyInsns(parts: readonly TallyPart[], keySize: number, layout: PtRegsLayout): Insns {
  const [key, value] = [-keySize, -keySize - 8];
  let at = key;
  const zeros = Array.from({ length: keySize / 8 }, (_, i) => st(BPF_DW, 10, key + 8 * i, 0));
  const filled = parts.flatMap((part) => {
    const insns = part.insns(at, layout);
    at += part.size;
    return insns;
  });
  const keyAddress = [mov64Reg(2, 10), alu64Imm(BPF_ADD, 2, key)];
  const found = [mov64Imm(1, 1), atomic(BPF_DW, BPF_ADD, 0, 1, 0), mov64Imm(0, 0), exit()];
  return [
    mov64Reg(6, 1),
    ...zeros,
    ...filled,
    ...ldImm64(1, 0n, BpfPseudo.BPF_PSEUDO_MAP_FD),
    ...keyAddress,
    call(BpfFuncId.BPF_FUNC_map_lookup_elem),
    jmpImm(BPF_JEQ, 0, 0, found.length),
    ...found,
    st(BPF_DW, 10, value, 1),
    ...ldImm64(1, 0n, BpfPseudo.BPF_PSEUDO_MAP_FD),
    ...keyAddress,
    mov64Reg(3, 10),
    alu64Imm(BPF_ADD, 3, value),
    mov64Imm(4, 0),
    call(BpfFuncId.BPF_FUNC_map_update_elem),
    mov64Imm(0, 0),
    exit(),
  ];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
