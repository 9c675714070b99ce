import type { SymbolTable } from './symbol-table.js';

/** A file whose text programs execute: what a uprobe is bound to, whoever maps it. */
export interface UserFile {
  readonly path: string;
  /** Tells files apart: an inode number, or what stands for it. */
  readonly id: number;
  /** Bytes. */
  readonly size: number;
}

/** Where an instruction of a program comes from. */
export interface UserPlace {
  /** `UserFile.id`. */
  file: number;
  /** Offset in the file. */
  offset: number;
}

/** A file, or a part of it, in the address space of a process. */
export interface UserMapping {
  readonly file: UserFile;
  readonly start: bigint;
  /** Address behind it. */
  readonly end: bigint;
  /** Offset in the file of what lies at `start`. */
  readonly offset: number;
  readonly executable: boolean;
}

/**
 * The text of user programs. Breakpoints belong to a file and an offset, and are met in every address space that executes
 * that page, those of later execs and mmaps included, whether it is in memory now or not. Absent where the host has no user
 * mode or cannot follow files.
 */
export interface HostUserText {
  /** The file at `path`, or null. */
  open(path: string): UserFile | null;
  /** Functions of the file by the addresses it is linked at, where the host knows more than the file tells. */
  symbols?(file: UserFile): SymbolTable | null;
  /** Bytes of the file itself, without any breakpoint; false outside of it. */
  read(file: UserFile, offset: number, dst: Uint8Array): boolean;
  /**
   * Replaces `expected` by `bytes` in what CPUs execute of the file at `offset`, within one page. False where the bytes
   * found are not the expected ones, the file ends before, or there is no room. The file does not change.
   */
  patch(file: UserFile, offset: number, expected: Uint8Array, bytes: Uint8Array): boolean;
  /**
   * Adds `delta` to the 16-bit counter at `offset` of the file, in the memory of every process that maps it and in what
   * later ones will map. False outside of the file. A USDT probe's semaphore is such a counter.
   */
  addToCounter(file: UserFile, offset: number, delta: number): boolean;
  /** What the current task executes at lo:hi; false where it is no page of a file. */
  locate(lo: number, hi: number, out: UserPlace): boolean;
  /**
   * What of files the process has mapped, by ascending address, as /proc/PID/maps tells; of one that has ended, or was `comm`
   * before it became another program, what it had then, if that is still known. None of an unknown process.
   */
  mappings?(tgid: number, comm?: string): readonly UserMapping[];
  /**
   * Room of `size` bytes that user mode may execute, at one address in every address space; a multiple of 16, or null. An
   * instruction that addresses memory relative to the pc can be displaced there only if the room is within its reach:
   * `near` is its address, where that matters to the host.
   */
  allocExec(size: number, near?: bigint): bigint | null;
  freeExec(address: bigint, size: number): void;
  /** Writes to room that was given out. */
  writeExec(address: bigint, bytes: Uint8Array): void;
  /** User address of a breakpoint instruction to which hijacked returns are sent, mapped everywhere. */
  readonly returnTrampoline: bigint;
  /** A number that is another one in each address space that lives at the same time: that of the current task. */
  currentSpace(): number;
  /** Calls `handler` for each task that begins with a copy of another's user memory. Returns what ends it. */
  onFork(handler: (parent: TaskAddress, child: ForkedTask) => void): () => void;
}

/** Address of a `struct task_struct` as words. */
export interface TaskAddress {
  readonly lo: number;
  readonly hi: number;
}

export interface ForkedTask extends TaskAddress {
  /** Its address space, as `currentSpace` will answer it. */
  readonly space: number;
}
