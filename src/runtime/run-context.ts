import type { PtRegs } from '../arch/index.js';
import type { AccessRegion } from './access-region.js';
import type { ProgramFault } from './engine.js';
import type { BpfProgram } from './program.js';
import type { RunObjects } from './kfunc/run-objects.js';
import type { Runtime } from './runtime.js';
import type { SeqFile } from './seq-file.js';

/** A program of a session runs twice for a call, which shares 8 bytes between them. */
export interface RunSession {
  readonly isReturn: boolean;
  /** Offset of the bytes. */
  readonly cookie: number;
}

/**
 * What one run of a program has besides its registers: CPU, cookie, the event's registers, the memory it
 * may touch. One per CPU and nesting level, reused; helpers receive it as their first argument.
 */
export interface BpfRunCtx {
  readonly runtime: Runtime;
  cpu: number;
  program: BpfProgram | null;
  /** Offset of the `AttachmentBlock` whose hit this is; 0 for runs that no hook has begun. */
  attachment: number;
  /** Attach cookie. */
  cookieLo: number;
  cookieHi: number;
  /** Registers of the event (kprobe, perf event), for stack walks; null otherwise. */
  regs: PtRegs | null;
  /** The probed address (bpf_get_func_ip), words. */
  funcIpLo: number;
  funcIpHi: number;
  /** High word of r0 after the run, and of a helper's result where its row says `ret: 'u64'`. */
  resultHi: number;
  fault: ProgramFault | null;
  /** Offset and length of the context handed to the program. */
  ctx: number;
  ctxSize: number;
  /** Regions beyond the program's own: packet data, the records in `reservations`. Emptied by `Runtime.leave`. */
  readonly extraRegions: AccessRegion[];
  /** Open ring buffer records that the table in the `CpuBlock` has no room for: offsets of their data. */
  readonly reservations: number[];
  /** Tail calls so far in this run (the kernel allows 33). */
  tailCalls: number;
  /** Instructions left before the run is stopped. */
  budget: number;
  /** The packet of a networking program, for LD_ABS and LD_IND: offsets, 0 where there is none. */
  packetStart: number;
  packetEnd: number;
  macHeader: number;
  networkHeader: number;
  /** Lowest byte of this context's stack, and where the next frame's r10 points. */
  readonly stackStart: number;
  stackPointer: number;
  /** 16 bytes that engines copy host memory to. */
  readonly scratch: number;
  /** The file that a run of an iterator writes; null in all others. */
  seq: SeqFile | null;
  /** Which run of a session it is; null in all others. */
  session: RunSession | null;
  /** What kernel functions have given the run to keep; null: nothing so far. */
  objects: RunObjects | null;
  /** Set by engines: runs the subprogram at instruction slot `pc` with r1..r4 (callbacks of helpers); result low word. */
  callback:
    | ((
        pc: number,
        r1Lo: number,
        r1Hi: number,
        r2Lo: number,
        r2Hi: number,
        r3Lo: number,
        r3Hi: number,
        r4Lo: number,
        r4Hi: number,
      ) => number)
    | null;
}
