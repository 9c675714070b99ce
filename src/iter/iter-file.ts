import { BpfError, Errno, errnoName, u64 } from '../base/index.js';
import {
  BPF_MEMORY_HI,
  type BpfOffset,
  type ProgramAttachment,
  type Runtime,
  SEQ_BUFFER_SIZE,
  SeqFile,
} from '../runtime/index.js';
import type { IterCursor, IterObject } from './iter-target.js';

/** struct bpf_iter_meta: seq, session_id, seq_num; the struct seq_file behind it reads as zeros. */
const META_SIZE = 24;
const SEQ_SIZE = 256;
/** Objects that one read walks at most without writing anything (MAX_ITER_OBJECTS). */
const MAX_OBJECTS = 1_000_000;
const END: IterObject = { words: [] };
const NOTHING = new Uint8Array(0);

/** What a file needs of its link. */
export interface IterFileParts {
  readonly runtime: Runtime;
  readonly call: ProgramAttachment;
  /** Offset and words of the context that the program is shown. */
  readonly words: number;
  readonly sessionId: bigint;
  readonly onClose: () => void;
}

/**
 * A file that is what an iterator's program writes (bpf_seq_read() in kernel/bpf/bpf_iter.c). The program is run for each
 * object, and once without one at the end. Nothing is walked before it is read.
 */
export class IterFile {
  readonly #parts: IterFileParts;
  readonly #cursor: IterCursor;
  readonly #block: BpfOffset;
  readonly #size: number;
  readonly #seq: SeqFile;
  /** Bytes in the buffer that were read already. */
  #from = 0;
  #seqNum = 0n;
  #stopped = false;
  #closed = false;

  constructor(parts: IterFileParts, cursor: IterCursor) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#size = 8 + 8 * parts.words + META_SIZE + SEQ_SIZE;
    this.#block = parts.runtime.memory.alloc(this.#size);
    this.#seq = new SeqFile(this.#meta + META_SIZE);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get #meta(): number {
    return this.#block + 8 + 8 * this.#parts.words;
  }

  /**
   * The next bytes, `size` at most; none at the end. Throws what read(2) answers: E2BIG where an object's text is longer than
   * 32 KiB, EAGAIN where the program asks for another try at once, EBADF where the file is closed.
   */
  read(size: number = SEQ_BUFFER_SIZE): Uint8Array {
    if (this.#closed) throw new BpfError('EBADF', 'reading an iterator', { remedy: 'its file is closed' });
    if (this.#seq.count === 0) {
      const error = this.#fill(size);
      if (error !== 0) {
        this.#seq.count = 0;
        throw readError(error);
      }
    }
    return this.#take(size);
  }

  /** All that is left, as text. */
  text(): string {
    const decoder = new TextDecoder();
    let text = '';
    for (let bytes = this.read(); bytes.length > 0; bytes = this.read())
      text += decoder.decode(bytes, { stream: true });
    return text + decoder.decode();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cursor.close();
    this.#parts.runtime.memory.free(this.#block, this.#size);
    this.#parts.onClose();
  }

  #take(size: number): Uint8Array {
    const seq = this.#seq;
    const length = Math.min(seq.count, size);
    if (length === 0) return NOTHING;
    const bytes = seq.bytes.slice(this.#from, this.#from + length);
    this.#from += length;
    seq.count -= length;
    return bytes;
  }

  /** Runs the program until `size` bytes are there, nothing fits any more, or nothing is left. 0 or -errno. */
  #fill(size: number): number {
    const seq = this.#seq;
    this.#from = 0;
    let object = this.#cursor.start();
    let kept = 0;
    for (let walked = 0; object !== null; walked++) {
      if (walked > 0 && seq.count >= size) return 0;
      if (walked >= MAX_OBJECTS) return kept === 0 ? -Errno.EAGAIN : 0;
      const error = this.#show(object);
      if (error < 0 || seq.overflowed) {
        seq.count = kept;
        if (kept > 0) return 0;
        return error < 0 ? error : -Errno.E2BIG;
      }
      kept = seq.count;
      object = this.#cursor.next();
      if (object !== null) this.#seqNum++;
    }
    return this.#stop(kept);
  }

  /** At the end the program is run without an object, once. */
  #stop(kept: number): number {
    if (this.#stopped) return 0;
    const seq = this.#seq;
    this.#show(this.#cursor.end?.() ?? END);
    if (!seq.overflowed) {
      this.#stopped = true;
      return 0;
    }
    seq.count = kept;
    return kept === 0 ? -Errno.E2BIG : 0;
  }

  #show(object: IterObject): number {
    const { runtime, call, words } = this.#parts;
    const { view } = runtime.memory;
    const meta = this.#meta;
    view.setBigUint64(this.#block, u64(meta, BPF_MEMORY_HI), true);
    for (let i = 0; i < words; i++) view.setBigUint64(this.#block + 8 + 8 * i, object.words[i] ?? 0n, true);
    view.setBigUint64(meta, u64(this.#seq.address, BPF_MEMORY_HI), true);
    view.setBigUint64(meta + 8, this.#parts.sessionId, true);
    view.setBigUint64(meta + 16, this.#seqNum, true);
    const run = call.begin(this.#block, runtime.host.currentCpu());
    if (run === null) return -Errno.EAGAIN;
    try {
      run.seq = this.#seq;
      run.extraRegions.push({
        start: meta,
        end: meta + META_SIZE + SEQ_SIZE,
        stride: 0,
        size: META_SIZE + SEQ_SIZE,
        writable: false,
      });
      for (const region of object.regions ?? []) run.extraRegions.push(region);
      const result = call.program.engine.run(run, this.#block);
      return result === 0 && run.fault === null ? 0 : -Errno.EAGAIN;
    } finally {
      call.close(run);
    }
  }
}

function readError(error: number): BpfError {
  const name = errnoName(error) ?? 'EIO';
  return new BpfError(name, 'reading an iterator', {
    remedy:
      name === 'E2BIG'
        ? `an object takes ${SEQ_BUFFER_SIZE} bytes at most`
        : 'its program returned 1 or stopped at the first object: 0 goes on to the next one',
  });
}
