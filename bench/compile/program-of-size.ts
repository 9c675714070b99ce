import { BpfFuncId, BpfMapType, BpfProgType, BpfPseudo } from 'kscope/base';
import {
  alu32Imm,
  alu64Imm,
  alu64Reg,
  BPF_ADD,
  BPF_DW,
  BPF_JEQ,
  BPF_JGT,
  BPF_LSH,
  BPF_MUL,
  BPF_RSH,
  BPF_W,
  BPF_XOR,
  call,
  exit,
  type Insn,
  jmpImm,
  ldImm64,
  ldx,
  type MapSpec,
  mov64Imm,
  mov64Reg,
  type ProgramInput,
  type Runtime,
  st,
  stx,
} from 'kscope/runtime';

const R = { result: 0, x: 7, y: 8, z: 9, fp: 10 } as const;
const PROLOGUE: readonly Insn[] = [
  ...[R.x, R.y, R.z].map((register) => mov64Imm(register, register)),
  ...[-8, -16, -24].map((off) => st(BPF_DW, R.fp, off, 0)),
];
const EPILOGUE: readonly Insn[] = [mov64Reg(R.result, R.x), exit()];

/** Straight stretches as programs have them: arithmetic, spills, a branch, a map lookup with its null check. */
const STRETCHES: readonly ((random: () => number, map: number) => Insn[])[] = [
  (random) => [
    alu64Imm(BPF_MUL, R.x, random() | 1),
    alu64Imm(BPF_ADD, R.x, random()),
    mov64Reg(R.z, R.x),
    alu64Imm(BPF_RSH, R.z, 17),
    alu64Reg(BPF_XOR, R.y, R.z),
  ],
  (random) => [alu32Imm(BPF_ADD, R.y, random()), alu64Imm(BPF_LSH, R.y, 3), alu64Reg(BPF_ADD, R.x, R.y)],
  () => [
    stx(BPF_DW, R.fp, R.x, -16),
    ldx(BPF_W, R.z, R.fp, -16),
    stx(BPF_DW, R.fp, R.z, -24),
    ldx(BPF_DW, R.y, R.fp, -24),
  ],
  (random) => [jmpImm(BPF_JGT, R.x, random(), 2), alu64Imm(BPF_ADD, R.z, random()), alu64Reg(BPF_XOR, R.y, R.z)],
  (random, map) => [
    st(BPF_W, R.fp, -4, random() & 3),
    mov64Reg(2, R.fp),
    alu64Imm(BPF_ADD, 2, -4),
    ...ldImm64(1, BigInt(map), BpfPseudo.BPF_PSEUDO_MAP_FD),
    call(BpfFuncId.BPF_FUNC_map_lookup_elem),
    jmpImm(BPF_JEQ, 0, 0, 3),
    ldx(BPF_DW, 3, 0, 0),
    alu64Reg(BPF_ADD, 3, R.x),
    stx(BPF_DW, 0, 3, 0),
  ],
];

/** The one map of all these programs. */
export const COUNTERS: MapSpec = {
  name: 'counters',
  type: BpfMapType.BPF_MAP_TYPE_ARRAY,
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
  keyTypeId: 0,
  valueTypeId: 0,
};

/** Makes programs of exactly `size` instruction slots, no two alike: V8 keeps the code of modules it has seen. */
export function programMaker(runtime: Runtime): (size: number) => ProgramInput {
  const maps = [runtime.createMap(COUNTERS)];
  const make = insnMaker();
  return (size) => ({
    name: `size${size}`,
    type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
    expectedAttachType: 0,
    license: 'GPL',
    insns: make(size, 0),
    maps,
  });
}

/** Instructions alone; `map` is what names the map in them. */
export function insnMaker(): (size: number, map: number) => Insn[] {
  const random = xorshift(0x1234_5678);
  return (size, map) => insnsOf(size, map, random);
}

function insnsOf(size: number, map: number, random: () => number): Insn[] {
  const insns = [...PROLOGUE];
  const end = size - EPILOGUE.length;
  for (let i = 0; insns.length < end; i++) {
    const stretch = STRETCHES[i % STRETCHES.length]?.(random, map) ?? [];
    if (insns.length + stretch.length <= end) insns.push(...stretch);
    else insns.push(alu64Imm(BPF_ADD, R.x, random()));
  }
  return [...insns, ...EPILOGUE];
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
