import { BpfFuncId, BpfMapType, BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import type { Machine } from '../../../src/machine/index.js';
import {
  alu64Imm,
  atomic,
  BPF_ADD,
  BPF_DW,
  BPF_JEQ,
  BPF_W,
  type BpfMap,
  type BpfProgram,
  call,
  exit,
  jmpImm,
  ldImm64,
  ldx,
  mov64Imm,
  mov64Reg,
  st,
} from '../../../src/runtime/index.js';

const KEY = -4;

/** A program that counts its runs, and adds up one 32-bit register of each. */
export class CountingProgram {
  readonly program: BpfProgram;
  readonly #map: BpfMap;

  /** `register`: which one of `struct pt_regs` is added up. */
  constructor(machine: Machine, name: string, register: string) {
    const slot = machine.host.arch.ptRegs.names.indexOf(register);
    this.#map = machine.runtime.createMap({
      name,
      type: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
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
      insns: [
        ldx(BPF_W, 6, 1, 4 * slot),
        st(BPF_W, 10, KEY, 0),
        ...ldImm64(1, 0n, BpfPseudo.BPF_PSEUDO_MAP_FD),
        mov64Reg(2, 10),
        alu64Imm(BPF_ADD, 2, KEY),
        call(BpfFuncId.BPF_FUNC_map_lookup_elem),
        jmpImm(BPF_JEQ, 0, 0, 3),
        mov64Imm(1, 1),
        atomic(BPF_DW, BPF_ADD, 0, 1, 0),
        atomic(BPF_DW, BPF_ADD, 0, 6, 8),
        mov64Imm(0, 0),
        exit(),
      ],
    });
  }

  get runs(): number {
    return Number(this.#read(0));
  }

  /** The sum of the register over all runs. */
  get sum(): number {
    return Number(this.#read(8));
  }

  #read(offset: number): bigint {
    const value = this.#map.sysLookup(new Uint8Array(4));
    if (!(value instanceof Uint8Array)) throw new Error('an array has all its elements');
    return new DataView(value.buffer, value.byteOffset).getBigUint64(offset, true);
  }
}
