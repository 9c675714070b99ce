import type { InsnMemory, PtRegs } from '../../arch/index.js';
import { hi32, lo32, toHex } from '../../base/index.js';
import type { HostUserText, TrapFrame, UserFile, UserPlace } from '../../host/index.js';
import { type HostBench, same } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must, Violation } from './host-check.js';
import { attempt } from './probe-trial.js';
import { EXACT, noProbes, USER_FLAG } from './trap-checks.js';

const FILES = 'user text: files are found by path and read to their end';
const USER_MEMORY = 'memory: user memory of the current task can be read and written in a handler';
const COMPARES = 'user text: a patch compares, and leaves the file as it is';

const noProgram = ({ host, facts }: HostBench): string | null => {
  if (host.userText === undefined) return 'host.userText is absent';
  return facts.program === undefined ? 'facts.program is not given' : null;
};

/** The instruction that the facts name, and the file it is in. */
interface Subject {
  readonly user: HostUserText;
  readonly file: UserFile;
  readonly offset: number;
  readonly insn: Uint8Array;
  readonly original: Uint8Array;
  readonly breakpoint: Uint8Array;
}

function subject({ host, facts }: HostBench): Subject {
  const { userText: user } = host;
  const { probing } = host.arch;
  const { path, offset } = facts.program ?? { path: '', offset: 0 };
  const file = user?.open(path) ?? null;
  if (user === undefined || file === null) throw new Violation(`open('${path}') gives null`);
  const bytes = new Uint8Array(Math.min(probing.maxInsnLength, file.size - offset));
  must(user.read(file, offset, bytes), `reading ${bytes.length} bytes at ${offset} of ${path} fails`);
  const insn = bytes.slice(0, probing.insnLength(bytes, 0));
  const breakpoint = probing.uprobeBreakpoint(insn.length);
  return { user, file, offset, insn, original: insn.slice(0, breakpoint.length), breakpoint };
}

export const userTextChecks: readonly CheckSpec[] = [
  {
    name: FILES,
    contract: 'HostUserText.open, read',
    remedy: 'answer null for paths that are not there, and false for what lies outside of a file',
    skip: noProgram,
    run(bench) {
      const { user, file, offset } = subject(bench);
      must(user.open(`${file.path} that is not there`) === null, 'open finds a file that is not there');
      must(offset < file.size, `the file has ${file.size} bytes, the instruction is at ${offset}`);
      const byte = new Uint8Array(1);
      must(user.read(file, file.size - 1, byte), 'the last byte cannot be read');
      must(!user.read(file, file.size, byte), 'a byte behind the end can be read');
    },
  },
  {
    name: COMPARES,
    contract: 'HostUserText.patch, read',
    remedy: 'compare with what is executed, earlier patches included, and write to a copy of the page',
    needs: [FILES],
    skip: noProgram,
    run(bench) {
      const { user, file, offset, original, breakpoint } = subject(bench);
      const wrong = Uint8Array.from(original, (byte) => byte ^ 0x55);
      must(!user.patch(file, offset, wrong, breakpoint), 'a patch that expects other bytes succeeds');
      must(user.patch(file, offset, original, breakpoint), 'a patch that expects what is there fails');
      const found = new Uint8Array(original.length);
      user.read(file, offset, found);
      const again = user.patch(file, offset, original, breakpoint);
      must(user.patch(file, offset, breakpoint, original), 'a patch cannot be taken back');
      must(!again, 'the original bytes are expected where a breakpoint was put, and the patch succeeds');
      must(same(found, original), () => `the file reads as ${toHex(found)} while a breakpoint stands there`);
    },
  },
  {
    name: 'user text: room for displaced instructions is aligned and comes back',
    contract: 'HostUserText.allocExec, freeExec, writeExec',
    remedy: 'give out pieces at multiples of 16 that user mode may execute, and keep book of free ones',
    skip: noProgram,
    run(bench) {
      const { user } = subject(bench);
      const first = user.allocExec(64);
      const second = user.allocExec(64);
      must(first !== null && second !== null, 'allocExec(64) gives null');
      must(first % 16n === 0n && second % 16n === 0n, 'a piece does not begin at a multiple of 16');
      must(first + 64n <= second || second + 64n <= first, 'pieces overlap');
      user.freeExec(first, 64);
      user.freeExec(second, 64);
      for (let i = 0; i < 3000; i++) {
        const piece = user.allocExec(64);
        must(piece !== null, `allocExec(64) gives null after ${i} pieces were given out and freed`);
        user.freeExec(piece, 64);
      }
    },
  },
  {
    name: 'user text: each execution is one trap, found by file and offset, in every process',
    contract: 'HostUserText.patch, locate, currentSpace',
    remedy: 'meet breakpoints in every address space that executes the page, those of later execs included',
    needs: [COMPARES, EXACT, USER_FLAG, USER_MEMORY],
    skip: (bench) => noProbes(bench) ?? noProgram(bench),
    run: trapsInPrograms,
  },
];

function trapsInPrograms(bench: HostBench): void {
  const taker = new UserTraps(bench, subject(bench));
  bench.text.setTrapHandler(taker.handle);
  const { user, file, offset, original, breakpoint } = taker.subject;
  must(user.patch(file, offset, original, breakpoint), 'the breakpoint cannot be put in');
  const first = attempt(() => bench.workload());
  const back = user.patch(file, offset, breakpoint, original);
  const { hits } = taker;
  const second = first.error === null ? attempt(() => bench.workload()) : first;
  bench.text.setTrapHandler(null);
  must(taker.problem === null, () => String(taker.problem));
  must(first.error === null, `the workload ended with: ${first.error}`);
  const wanted = first.result?.programCalls;
  must(wanted !== undefined, 'facts.workload does not tell programCalls');
  must(hits === wanted, `${hits} hits of ${wanted} executions`);
  must(back && second.error === null && taker.hits === hits, 'traps came after the breakpoint was taken out');
}

/** Takes user breakpoints at one place, and executes what they displaced. */
class UserTraps {
  hits = 0;
  problem: string | null = null;
  readonly subject: Subject;
  readonly #bench: HostBench;
  readonly #memory: InsnMemory;
  readonly #place: UserPlace = { file: 0, offset: 0 };
  readonly #slots = new Map<bigint, bigint>();

  constructor(bench: HostBench, of: Subject) {
    const { memory } = bench.host;
    this.#bench = bench;
    this.subject = of;
    this.#memory = {
      read: (lo, hi, dst, length) => memory.readUser(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => memory.writeUser(lo, hi, src, 0, length),
    };
  }

  readonly handle = (frame: TrapFrame): boolean => {
    if (!frame.user || frame.kind !== 'breakpoint') return false;
    const { regs } = frame;
    const { user, file, offset, insn } = this.subject;
    const address = regs.ip - BigInt(this.#bench.host.arch.probing.trapPcBias);
    const next = this.#slots.get(address);
    if (next !== undefined) {
      regs.ip = next;
      return true;
    }
    const found = user.locate(lo32(address), hi32(address), this.#place);
    if (!found || this.#place.file !== file.id || this.#place.offset !== offset) {
      if (this.#isOwn(address)) return false;
      this.problem ??= `locate says ${found ? `offset ${this.#place.offset}` : 'nothing'} of the breakpoint at offset ${offset}`;
    }
    this.hits++;
    regs.ip = address;
    return this.#execute(regs, address, address + BigInt(insn.length));
  };

  /** Whether a breakpoint of the program's own stands there. */
  #isOwn(address: bigint): boolean {
    const { probing } = this.#bench.host.arch;
    const { ok, bytes } = this.#bench.read(address, probing.minInsnLength, 0, 'readUser');
    return ok && probing.isBreakpoint(bytes);
  }

  #execute(regs: PtRegs, address: bigint, next: bigint): boolean {
    const { probing } = this.#bench.host.arch;
    const { user, insn } = this.subject;
    const plan = probing.plan(insn, address);
    if (plan.kind === 'refuse') throw new Violation(`the instruction cannot be displaced: ${plan.reason}`);
    if (plan.kind === 'simulate' && plan.simulate(regs, this.#memory)) return true;
    const relocate = plan.relocate ?? probing.userRelocation?.(insn, address) ?? null;
    const room = user.allocExec(64);
    const moved = room === null || relocate === null ? null : relocate(room);
    if (room === null || moved === null) return false;
    const end = probing.uprobeBreakpoint(moved.length);
    user.writeExec(room, Uint8Array.from([...moved, ...end]));
    this.#slots.set(room + BigInt(moved.length), next);
    regs.ip = room;
    return true;
  }
}
