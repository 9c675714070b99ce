import { BpfError, BpfProgType } from '../../base/index.js';
import { SkBuff } from '../context-layout.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { BpfProgram } from '../program.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { contextBytes, requireZeroOutside } from './context-bytes.js';
import type { PreparedRun, TestRunOptions } from './test-run.js';

const ETH_HLEN = 14;
/** A page less headroom and struct skb_shared_info: what one linear buffer of the kernel holds. */
const MAX_PACKET = 4096 - 64 - 320;
const LOOPBACK_IFINDEX = 1;
const PACKET_MULTICAST = 2;
const PACKET_OTHERHOST = 3;

/** Bytes of the fixed header of the protocols that a test run looks into, by EtherType. */
const networkHeaders: ReadonlyMap<number, number> = new Map([
  [0x0800, 20],
  [0x86dd, 40],
]);

/** Fields of struct __sk_buff that a test run takes from the user's context. */
const settable = [
  [SkBuff.mark, SkBuff.queue_mapping],
  [SkBuff.priority, SkBuff.tc_index],
  [SkBuff.cb, SkBuff.hash],
  [SkBuff.tstamp, SkBuff.sk],
  [SkBuff.gso_size, SkBuff.tstamp_type],
  [SkBuff.hwtstamp, SkBuff.size],
] as const;

/** Fields that are written back to the user's context. */
const reported = [
  [SkBuff.mark, SkBuff.queue_mapping],
  [SkBuff.priority, SkBuff.tc_index],
  [SkBuff.cb, SkBuff.hash],
  [SkBuff.tstamp, SkBuff.sk],
  [SkBuff.hwtstamp, SkBuff.size],
] as const;

/**
 * bpf_prog_test_run_skb(): the packet as the loopback device received it. Classifiers and actions see it from
 * the link layer header on, socket filters from the network header on; the link layer header that comes back
 * is zero for the latter.
 */
export function skbRun(runtime: Runtime, program: BpfProgram, options: TestRunOptions): PreparedRun {
  const packet = options.dataIn ?? new Uint8Array(0);
  const least = ETH_HLEN + (networkHeaders.get(etherType(packet)) ?? 0);
  if (packet.length < least || packet.length > MAX_PACKET) {
    throw new BpfError('EINVAL', `test run of ${program.name}: packet of ${packet.length} bytes`, {
      value: packet.length,
      remedy: `give dataIn ${least} to ${MAX_PACKET} bytes`,
    });
  }
  const given = contextBytes(options.ctxIn, SkBuff.size);
  requireZeroOutside(given, settable);
  return new SkbRun(runtime, program, packet, given, options.ctxIn?.length ?? 0);
}

class SkbRun implements PreparedRun {
  readonly ctx: BpfOffset;
  readonly ctxSize = SkBuff.size;
  readonly #runtime: Runtime;
  readonly #fromLinkLayer: boolean;
  readonly #writable: boolean;
  readonly #packet: BpfOffset;
  readonly #length: number;
  readonly #given: Uint8Array;
  readonly #ctxRoom: number;

  constructor(runtime: Runtime, program: BpfProgram, packet: Uint8Array, given: Uint8Array, ctxRoom: number) {
    const { memory } = runtime;
    const { BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT } = BpfProgType;
    this.#runtime = runtime;
    this.#fromLinkLayer = program.type === BPF_PROG_TYPE_SCHED_CLS || program.type === BPF_PROG_TYPE_SCHED_ACT;
    this.#writable = this.#fromLinkLayer;
    this.#length = packet.length;
    this.#given = given;
    this.#ctxRoom = Math.min(ctxRoom, SkBuff.size);
    this.#packet = memory.alloc(packet.length);
    this.ctx = memory.alloc(SkBuff.size);
    memory.u8.set(packet, this.#packet);
    this.#describe(packet);
  }

  enter(run: BpfRunCtx): void {
    run.macHeader = this.#packet;
    run.networkHeader = this.#packet + ETH_HLEN;
    run.packetStart = this.#start;
    run.packetEnd = this.#packet + this.#length;
    const { packetStart: start, packetEnd: end } = run;
    run.extraRegions.push({ start, end, stride: 0, size: end - start, writable: this.#writable });
  }

  finish(): { dataOut: Uint8Array; ctxOut: Uint8Array } {
    const { u8 } = this.#runtime.memory;
    const dataOut = u8.slice(this.#packet, this.#packet + this.#length);
    if (!this.#fromLinkLayer) dataOut.fill(0, 0, ETH_HLEN);
    const ctxOut = this.#given.slice();
    for (const [start, end] of reported) ctxOut.set(u8.subarray(this.ctx + start, this.ctx + end), start);
    return { dataOut, ctxOut: ctxOut.slice(0, this.#ctxRoom) };
  }

  free(): void {
    const { memory } = this.#runtime;
    memory.free(this.ctx, SkBuff.size);
    memory.free(this.#packet, this.#length);
  }

  get #start(): number {
    return this.#fromLinkLayer ? this.#packet : this.#packet + ETH_HLEN;
  }

  /** Fills struct __sk_buff as the program sees it. */
  #describe(packet: Uint8Array): void {
    const { u8, view } = this.#runtime.memory;
    const { ctx } = this;
    u8.set(this.#given, ctx);
    const length = this.#packet + this.#length - this.#start;
    const set = (field: number, value: number): void => view.setUint32(ctx + field, value, true);
    set(SkBuff.len, length);
    set(SkBuff.pkt_type, packetType(packet));
    // Big-endian on the wire, and so in the field.
    u8.set(packet.subarray(12, 14), ctx + SkBuff.protocol);
    set(SkBuff.ifindex, LOOPBACK_IFINDEX);
    set(SkBuff.data, this.#start);
    set(SkBuff.data_end, this.#packet + this.#length);
    set(SkBuff.data_meta, this.#start);
    if (this.#ctxRoom > 0 && view.getUint32(ctx + SkBuff.wire_len, true) === 0) set(SkBuff.wire_len, length);
  }
}

function etherType(packet: Uint8Array): number {
  return (packet[12] << 8) | packet[13];
}

/** eth_type_trans() on the loopback device: its address is all zeros, and it has no broadcast address. */
function packetType(packet: Uint8Array): number {
  const destination = packet.subarray(0, 6);
  if ((destination[0] & 1) !== 0) return PACKET_MULTICAST;
  return destination.every((byte) => byte === 0) ? 0 : PACKET_OTHERHOST;
}
