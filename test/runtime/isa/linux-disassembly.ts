import { BpfMapType, BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import {
  BPF_CALL,
  BPF_JA,
  BPF_JEQ,
  BPF_JMP,
  BPF_JMP32,
  LDIMM64,
  callSubprog,
  classOf,
  encodeInsns,
  exit,
  jmpImm,
  mov64Imm,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import type { LinuxOracle, Slot } from '../../oracle/linux.js';
import { btfIdOf } from './vmlinux-btf.js';

/** A program that contains one instruction, in surroundings that pass the kernel's structural stage. */
interface Surroundings {
  readonly insns: readonly Insn[];
  /** Where the instruction stands. */
  readonly index: number;
}

const nop = mov64Imm(0, 0);

/** Asks the live kernel for the text of single instructions, by loading them at log level 2. */
export class LinuxDisassembler {
  readonly #linux: LinuxOracle;
  readonly #map: Slot;

  constructor(linux: LinuxOracle) {
    this.#linux = linux;
    this.#map = linux.slot();
    void linux.mapCreate(this.#map, {
      type: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
    });
  }

  /**
   * The kernel's text: from its list of all instructions, and the same where its walk prints it. Addresses of
   * kernel objects are replaced by `0x<address>`, BTF ids of kfuncs by `<btf_id>`.
   */
  async textOf(slots: readonly Insn[]): Promise<string> {
    const { insns, index } = surround(this.#resolve(slots));
    const program = this.#linux.slot();
    const { log } = await this.#linux.progLoad(program, {
      type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encodeInsns(insns),
      logLevel: 2,
    });
    await this.#linux.close(program);
    const listed = new RegExp(`^[ \\d]{3} +${index}: [.0-9]{10} (.*)$`, 'm').exec(log)?.[1];
    if (listed === undefined) throw new Error(`the log has no text for ${JSON.stringify(slots)}:\n${log}`);
    const walked = new RegExp(`^${index}: ((?:\\(|BUG).*?) *(?:; .*)?$`, 'm').exec(
      log.slice(log.indexOf(': R1=ctx()')),
    )?.[1];
    if (walked !== undefined && walked !== listed) throw new Error(`listed as ${listed}, walked as ${walked}`);
    return masked(slots, listed);
  }

  /** Kernel objects in the place of the zeros that samples have. */
  #resolve(slots: readonly Insn[]): readonly Insn[] {
    const [first, ...rest] = slots;
    if (first.code === (BPF_JMP | BPF_CALL) && first.src === BpfPseudo.BPF_PSEUDO_KFUNC_CALL) {
      return [{ ...first, imm: btfIdOf('bpf_cast_to_kern_ctx', 'func'), off: 0 }];
    }
    if (first.code !== LDIMM64) return slots;
    switch (first.src) {
      case BpfPseudo.BPF_PSEUDO_MAP_FD:
      case BpfPseudo.BPF_PSEUDO_MAP_VALUE:
      case BpfPseudo.BPF_PSEUDO_MAP_IDX:
      case BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE:
        return [{ ...first, imm: this.#map }, ...rest];
      case BpfPseudo.BPF_PSEUDO_BTF_ID:
        return [{ ...first, imm: btfIdOf('vfs_read', 'func') }, ...rest];
      default:
        return slots;
    }
  }
}

function masked(slots: readonly Insn[], text: string): string {
  const first = slots[0];
  if (first.code === LDIMM64 && first.src !== 0 && first.src !== BpfPseudo.BPF_PSEUDO_FUNC) {
    return text.replace(/0x[0-9a-f]+$/, '0x<address>');
  }
  const kfunc = first.code === (BPF_JMP | BPF_CALL) && first.src === BpfPseudo.BPF_PSEUDO_KFUNC_CALL;
  return kfunc ? text.replace(/#\d+$/, '#<btf_id>') : text;
}

function surround(slots: readonly Insn[]): Surroundings {
  const first = slots[0];
  if (first.code === (BPF_JMP | BPF_CALL) && first.src === BpfPseudo.BPF_PSEUDO_CALL) return amongSubprogs(first);
  if (first.code === LDIMM64 && first.src === BpfPseudo.BPF_PSEUDO_FUNC) return withCallback(slots);
  if (isJump(first)) return amongTargets(first);
  return { insns: [...slots, nop, exit()], index: 0 };
}

function isJump(insn: Insn): boolean {
  const cls = classOf(insn.code);
  return (cls === BPF_JMP || cls === BPF_JMP32) && insn.code !== (BPF_JMP | BPF_CALL);
}

function distanceOf(insn: Insn): number {
  return insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off;
}

/** Room to jump both ways; a branch at the start makes what follows the jump reachable. */
function amongTargets(jump: Insn): Surroundings {
  const room = Array.from({ length: Math.abs(distanceOf(jump)) + 1 }, () => nop);
  return { insns: [jmpImm(BPF_JEQ, 1, 0, room.length + 1), ...room, jump, ...room, exit()], index: room.length + 1 };
}

/** main; one subprogram before the caller and one after, each as far away as the call says. */
function amongSubprogs(call: Insn): Surroundings {
  const padding = (length: number): Insn[] => Array.from({ length }, () => nop);
  if (call.imm > 0) {
    const insns = [call, ...padding(call.imm - 1), exit(), nop, exit()];
    return { insns, index: 0 };
  }
  const before = padding(-call.imm - 1);
  const main = [callSubprog(1), exit()];
  const insns = [...main, ...before, call, nop, exit()];
  return { insns, index: main.length + before.length };
}

function withCallback(slots: readonly Insn[]): Surroundings {
  const target = slots[0].imm;
  const padding = Array.from({ length: target - 2 }, () => nop);
  return { insns: [...slots, ...padding, exit(), nop, exit()], index: 0 };
}
