import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { oracleBinary } from './oracle-binary.js';
import { RequestWriter } from './request-writer.js';

/** Operations of bpf-oracle.c. */
const Op = {
  hello: 1,
  close: 2,
  progLoad: 3,
  testRun: 4,
  mapCreate: 5,
  mapLookup: 6,
  mapUpdate: 7,
  mapDelete: 8,
  mapNextKey: 9,
  mapLookupAndDelete: 10,
  mapFreeze: 11,
  ringbufRead: 12,
  ringbufConsume: 13,
  btfLoad: 14,
  objInfo: 15,
} as const;

const NO_SLOT = 0xffff_ffff;
const nothing = new Uint8Array(0);

/** The name under which the oracle keeps a program, map or BTF object. Chosen here, see `LinuxOracle.slot`. */
export type Slot = number;

export interface LinuxProgram {
  /** BpfProgType number. */
  readonly type: number;
  /** Encoded instructions; a map in ldimm64 (src 1, 2, 5 or 6) is named by its slot in `imm`. */
  readonly insns: Uint8Array;
  readonly name?: string;
  readonly license?: string;
  readonly expectedAttachType?: number;
  readonly flags?: number;
  readonly attachBtfId?: number;
  /** 0 (default): no log. */
  readonly logLevel?: number;
  readonly logSize?: number;
  readonly btf?: Slot;
  /** struct bpf_func_info and bpf_line_info records. */
  readonly funcInfo?: Uint8Array;
  readonly lineInfo?: Uint8Array;
}

export interface LinuxLoad {
  /** 0 or -errno. */
  readonly result: number;
  readonly log: string;
  readonly logTrueSize: number;
  /** What bpf(BPF_PROG_LOAD) took. */
  readonly durationNs: number;
}

export interface LinuxTestRun {
  readonly dataIn?: Uint8Array;
  readonly ctxIn?: Uint8Array;
  readonly repeat?: number;
  readonly flags?: number;
  readonly cpu?: number;
  readonly batchSize?: number;
  /** Sizes of the output buffers; 0: none. */
  readonly dataRoom?: number;
  readonly ctxRoom?: number;
}

export interface LinuxTestResult {
  /** 0 or -errno. */
  readonly result: number;
  readonly retval: number;
  readonly durationNs: number;
  /** What the kernel says the sizes are; the bytes are cut to the room given. */
  readonly dataSize: number;
  readonly ctxSize: number;
  readonly data: Uint8Array;
  readonly ctx: Uint8Array;
}

export interface LinuxMap {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  readonly mapExtra?: bigint;
  readonly name?: string;
  readonly inner?: Slot;
  readonly btf?: Slot;
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
}

/** The bytes a consumer of a ring buffer would map. */
export interface LinuxRing {
  readonly result: number;
  readonly consumer: bigint;
  readonly producer: bigint;
  readonly data: Uint8Array;
}

interface Answer {
  readonly result: number;
  readonly view: DataView;
  readonly payload: Uint8Array;
}

/**
 * The live kernel behind bpf(2), in a child process. Objects are named by slots chosen by the caller, so
 * nothing has to be awaited before the next request: requests are answered in order, and those made in
 * one turn of the event loop travel in one write. Results are 0 or -errno.
 */
export class LinuxOracle {
  readonly release: string;
  /** Possible CPUs: a per-CPU value is that many values of 8-byte multiples. */
  readonly cpus: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  readonly #freeSlots: Slot[] = [];
  #outgoing: Uint8Array[] = [];
  #answered = 0;
  #nextSlot = 0;
  #received: Buffer = Buffer.alloc(0);

  constructor(path: string, hello: { release: string; cpus: number }) {
    this.release = hello.release;
    this.cpus = hello.cpus;
    this.#child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.on('exit', (code) => {
      if (this.#waiting.length > this.#answered) throw new Error(`bpf-oracle ended with ${code} before it answered`);
    });
  }

  /** A free slot. */
  slot(): Slot {
    return this.#freeSlots.pop() ?? this.#nextSlot++;
  }

  async progLoad(slot: Slot, program: LinuxProgram): Promise<LinuxLoad> {
    const { result, view, payload } = await this.#ask(
      new RequestWriter(Op.progLoad)
        .u32(slot)
        .u32(program.type)
        .u32(program.expectedAttachType ?? 0)
        .u32(program.flags ?? 0)
        .u32(program.attachBtfId ?? 0)
        .u32(program.logLevel ?? 0)
        .u32(program.logSize ?? 1 << 20)
        .u32(program.btf ?? NO_SLOT)
        .string(program.name ?? '')
        .string(program.license ?? 'GPL')
        .bytes(program.insns)
        .bytes(program.funcInfo ?? nothing)
        .bytes(program.lineInfo ?? nothing),
    );
    return {
      result,
      logTrueSize: view.getUint32(0, true),
      durationNs: Number(view.getBigUint64(4, true)),
      log: new TextDecoder().decode(payload.subarray(12)),
    };
  }

  async testRun(slot: Slot, run: LinuxTestRun = {}): Promise<LinuxTestResult> {
    const { result, view, payload } = await this.#ask(
      new RequestWriter(Op.testRun)
        .u32(slot)
        .u32(run.repeat ?? 0)
        .u32(run.flags ?? 0)
        .u32(run.cpu ?? 0)
        .u32(run.batchSize ?? 0)
        .u32(run.dataRoom ?? 0)
        .u32(run.ctxRoom ?? 0)
        .bytes(run.dataIn ?? nothing)
        .bytes(run.ctxIn ?? nothing),
    );
    const dataEnd = 20 + view.getUint32(16, true);
    return {
      result,
      retval: view.getUint32(0, true),
      durationNs: view.getUint32(4, true),
      dataSize: view.getUint32(8, true),
      ctxSize: view.getUint32(12, true),
      data: payload.slice(20, dataEnd),
      ctx: payload.slice(dataEnd),
    };
  }

  async mapCreate(slot: Slot, map: LinuxMap): Promise<number> {
    const { result } = await this.#ask(
      new RequestWriter(Op.mapCreate)
        .u32(slot)
        .u32(map.type)
        .u32(map.keySize)
        .u32(map.valueSize)
        .u32(map.maxEntries)
        .u32(map.flags ?? 0)
        .u64(map.mapExtra ?? 0n)
        .u32(map.inner ?? NO_SLOT)
        .u32(map.btf ?? NO_SLOT)
        .u32(map.keyTypeId ?? 0)
        .u32(map.valueTypeId ?? 0)
        .string(map.name ?? ''),
    );
    return result;
  }

  /** The value (`size` bytes; for per-CPU maps all CPUs' values) or -errno. */
  mapLookup(slot: Slot, key: Uint8Array, size: number, flags = 0n): Promise<Uint8Array | number> {
    return this.#askBytes(new RequestWriter(Op.mapLookup).u32(slot).u64(flags).u32(size).bytes(key));
  }

  mapLookupAndDelete(slot: Slot, key: Uint8Array, size: number, flags = 0n): Promise<Uint8Array | number> {
    return this.#askBytes(new RequestWriter(Op.mapLookupAndDelete).u32(slot).u64(flags).u32(size).bytes(key));
  }

  async mapUpdate(slot: Slot, key: Uint8Array, value: Uint8Array, flags = 0n): Promise<number> {
    const request = new RequestWriter(Op.mapUpdate).u32(slot).u64(flags).u32(0).bytes(key).bytes(value);
    return (await this.#ask(request)).result;
  }

  /** Stores the object in slot `value`: programs in prog arrays, maps in maps. */
  async mapUpdateObject(slot: Slot, key: Uint8Array, value: Slot, flags = 0n): Promise<number> {
    const object = new Uint8Array(4);
    new DataView(object.buffer).setUint32(0, value, true);
    const request = new RequestWriter(Op.mapUpdate).u32(slot).u64(flags).u32(1).bytes(key).bytes(object);
    return (await this.#ask(request)).result;
  }

  async mapDelete(slot: Slot, key: Uint8Array): Promise<number> {
    return (await this.#ask(new RequestWriter(Op.mapDelete).u32(slot).bytes(key))).result;
  }

  /** The key after `key`, or with null the first; -ENOENT at the end. */
  mapNextKey(slot: Slot, key: Uint8Array | null, keySize: number): Promise<Uint8Array | number> {
    const request = new RequestWriter(Op.mapNextKey)
      .u32(slot)
      .u32(key === null ? 0 : 1)
      .u32(keySize);
    return this.#askBytes(request.bytes(key ?? nothing));
  }

  async mapFreeze(slot: Slot): Promise<number> {
    return (await this.#ask(new RequestWriter(Op.mapFreeze).u32(slot))).result;
  }

  /** Maps the ring of `size` bytes and copies what a consumer would see. */
  async ringbufRead(slot: Slot, size: number): Promise<LinuxRing> {
    const { result, view, payload } = await this.#ask(new RequestWriter(Op.ringbufRead).u32(slot).u32(size));
    if (result < 0) return { result, consumer: 0n, producer: 0n, data: nothing };
    return {
      result,
      consumer: view.getBigUint64(0, true),
      producer: view.getBigUint64(8, true),
      data: payload.slice(16),
    };
  }

  /** Sets the consumer position. */
  async ringbufConsume(slot: Slot, position: bigint): Promise<number> {
    return (await this.#ask(new RequestWriter(Op.ringbufConsume).u32(slot).u64(position))).result;
  }

  async btfLoad(slot: Slot, btf: Uint8Array): Promise<number> {
    return (await this.#ask(new RequestWriter(Op.btfLoad).u32(slot).bytes(btf))).result;
  }

  /** BPF_OBJ_GET_INFO_BY_FD: the first `size` bytes of struct bpf_prog_info, bpf_map_info ... */
  objInfo(slot: Slot, size: number): Promise<Uint8Array | number> {
    return this.#askBytes(new RequestWriter(Op.objInfo).u32(slot).u32(size));
  }

  /** Drops the object and frees its slot. Closing an empty slot is no error. */
  async close(...slots: Slot[]): Promise<void> {
    const closed = slots.map((slot) => this.#ask(new RequestWriter(Op.close).u32(slot)));
    this.#freeSlots.push(...slots);
    await Promise.all(closed);
  }

  /** Ends the child process; every object in it goes with it. */
  end(): void {
    this.#child.stdin.end();
  }

  async #askBytes(request: RequestWriter): Promise<Uint8Array | number> {
    const { result, payload } = await this.#ask(request);
    return result < 0 ? result : payload.slice();
  }

  #ask(request: RequestWriter): Promise<Answer> {
    if (this.#outgoing.length === 0) setImmediate(() => this.#send());
    this.#outgoing.push(request.finish());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #send(): void {
    this.#child.stdin.write(Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  #receive(chunk: Buffer): void {
    const data = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (at + 4 <= data.length && at + 4 + data.readUInt32LE(at) <= data.length) {
      const length = data.readUInt32LE(at);
      // A plain Uint8Array: Buffer.slice() would not copy.
      const payload = new Uint8Array(data.buffer, data.byteOffset + at + 8, length - 4);
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      this.#waiting[this.#answered++]({
        result: data.readInt32LE(at + 4),
        view,
        payload,
      });
      at += 4 + length;
    }
    this.#received = data.subarray(at);
    this.#forget();
  }

  #forget(): void {
    if (this.#answered < 1024 && this.#answered < this.#waiting.length) return;
    this.#waiting.splice(0, this.#answered);
    this.#answered = 0;
  }
}

type Availability =
  | { readonly path: string; readonly release: string; readonly cpus: number }
  | { readonly unavailable: string };

let availability: Availability | undefined;

/** Whether bpf(2) can be used here, found out once: a program that returns 0 has to load. */
export function linuxAvailability(): Availability {
  availability ??= probe();
  return availability;
}

function probe(): Availability {
  if (process.platform !== 'linux') return { unavailable: `this is ${process.platform}, not Linux` };
  const binary = oracleBinary('bpf-oracle.c');
  if ('unavailable' in binary) return binary;
  const returnZero = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  const load = new RequestWriter(Op.progLoad).u32(0).u32(1).u32(0).u32(0).u32(0).u32(0).u32(0).u32(NO_SLOT);
  load.string('').string('GPL').bytes(returnZero).bytes(nothing).bytes(nothing);
  const input = Buffer.concat([new RequestWriter(Op.hello).finish(), load.finish()]);
  const { stdout, error } = spawnSync(binary.path, { input });
  if (error !== undefined) return { unavailable: `cannot start bpf-oracle: ${error.message}` };
  const helloEnd = 4 + stdout.readUInt32LE(0);
  const result = stdout.readInt32LE(helloEnd + 4);
  if (result < 0) return { unavailable: `bpf(BPF_PROG_LOAD) answers ${getSystemErrorName(result)}` };
  return { path: binary.path, cpus: stdout.readInt32LE(4), release: stdout.toString('latin1', 8, helloEnd) };
}

/** Starts an oracle, or says why there is none. The caller ends it. */
export function linuxOracle(): LinuxOracle | { readonly unavailable: string } {
  const found = linuxAvailability();
  return 'unavailable' in found ? found : new LinuxOracle(found.path, found);
}
