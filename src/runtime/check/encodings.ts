import { BpfMapType, BpfPseudo, errnoName } from '../../base/index.js';
import type { ProgramInput } from '../executable.js';
import { BPF_LDX, BPF_MEM, BPF_MEMSX, LDIMM64, classOf, formsOfCode, modeOf, type Insn } from '../isa/index.js';
import { CheckError } from './check-error.js';
import type { CheckOptions } from './check-program.js';
import { CALLX } from './jumps.js';

/** Most maps one program may refer to (MAX_USED_MAPS). */
const MAX_USED_MAPS = 64;
/** Bound of offsets into direct values (BPF_MAX_VAR_OFF). */
const MAX_VALUE_OFFSET = 1 << 29;

/**
 * Refuses unknown codes, broken pairs of a 64-bit immediate, and references to maps that are not there. This
 * looks at every slot, reachable or not.
 */
export function checkEncodings(input: ProgramInput, options: CheckOptions): void {
  const usedMaps = new Set<number>();
  for (let index = 0; index < input.insns.length; index++) {
    const insn = input.insns[index];
    if (insn.code === LDIMM64) {
      checkImm64(input, index, usedMaps);
      index++;
    } else {
      checkCode(input, insn, index, options);
    }
  }
}

function checkCode(input: ProgramInput, insn: Insn, index: number, options: CheckOptions): void {
  if (classOf(insn.code) === BPF_LDX && (!isMemoryMode(insn) || insn.imm !== 0)) {
    throw new CheckError(input, { code: 'EINVAL', verdict: 'BPF_LDX uses reserved fields', insn: index });
  }
  if (formsOfCode(insn.code).length > 0 || (options.plugin === true && insn.code === CALLX)) return;
  throw new CheckError(input, {
    code: 'EINVAL',
    verdict: `unknown opcode ${insn.code.toString(16).padStart(2, '0')}`,
    insn: index,
    remedy: 'the instruction is newer than Linux 6.18, or the bytes are no BPF program',
  });
}

function isMemoryMode(insn: Insn): boolean {
  return modeOf(insn.code) === BPF_MEM || modeOf(insn.code) === BPF_MEMSX;
}

function checkImm64(input: ProgramInput, index: number, usedMaps: Set<number>): void {
  const first = input.insns[index];
  const second: Insn | undefined = input.insns[index + 1];
  if (second === undefined || second.code !== 0 || second.dst !== 0 || second.src !== 0 || second.off !== 0) {
    throw new CheckError(input, { code: 'EINVAL', verdict: 'invalid bpf_ld_imm64 insn', insn: index });
  }
  switch (first.src) {
    case 0:
    case BpfPseudo.BPF_PSEUDO_BTF_ID:
    case BpfPseudo.BPF_PSEUDO_FUNC:
      return;
    case BpfPseudo.BPF_PSEUDO_MAP_FD:
    case BpfPseudo.BPF_PSEUDO_MAP_IDX:
      if (second.imm !== 0) break;
      return checkMap(input, index, usedMaps);
    case BpfPseudo.BPF_PSEUDO_MAP_VALUE:
    case BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE:
      checkMap(input, index, usedMaps);
      return checkDirectValue(input, index, second.imm >>> 0);
  }
  throw new CheckError(input, { code: 'EINVAL', verdict: 'unrecognized bpf_ld_imm64 insn', insn: index });
}

function checkMap(input: ProgramInput, index: number, usedMaps: Set<number>): void {
  const { imm } = input.insns[index];
  if (input.maps[imm] === undefined) {
    const verdict = `fd ${imm} is not pointing to valid bpf_map`;
    const remedy = `the program has ${input.maps.length} maps; the immediate is an index of them`;
    throw new CheckError(input, { code: 'EBADF', verdict, insn: index, remedy });
  }
  usedMaps.add(imm);
  if (usedMaps.size > MAX_USED_MAPS) {
    const verdict = `The total number of maps per program has reached the limit of ${MAX_USED_MAPS}`;
    throw new CheckError(input, { code: 'E2BIG', verdict, insn: index });
  }
}

function checkDirectValue(input: ProgramInput, index: number, offset: number): void {
  const map = input.maps[input.insns[index].imm];
  if (offset >= MAX_VALUE_OFFSET) {
    const verdict = `direct value offset of ${offset} is not allowed`;
    throw new CheckError(input, { code: 'EINVAL', verdict, insn: index });
  }
  const value = map.directValue(offset);
  if (value >= 0) return;
  const verdict =
    map.type === BpfMapType.BPF_MAP_TYPE_ARRAY
      ? `invalid access to map value pointer, value_size=${map.valueSize} off=${offset}`
      : 'no direct value access support for this map type';
  throw new CheckError(input, { code: errnoName(value) ?? 'EINVAL', verdict, insn: index });
}
