import { BpfError } from '../../base/index.js';
import { XdpMd } from '../context-layout.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { BpfProgram } from '../program.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { contextBytes } from './context-bytes.js';
import type { PreparedRun, TestRunOptions } from './test-run.js';

const ETH_HLEN = 14;
/** XDP_PACKET_HEADROOM */
const HEADROOM = 256;
/** What fits the first page; the program sees no more of the packet, the rest is in fragments. */
const MAX_LINEAR = 4096 - HEADROOM - 320;
/** MAX_SKB_FRAGS pages of fragments. */
const MAX_PACKET = MAX_LINEAR + 17 * 4096;
const LOOPBACK_IFINDEX = 1;
/** Metadata takes multiples of 4 bytes, at most 252. */
const MAX_META = 252;

/**
 * bpf_prog_test_run_xdp(): `data` of the user's context says how many of the first bytes are metadata, so that
 * `data_end` must be the number of bytes given.
 */
export function xdpRun(runtime: Runtime, program: BpfProgram, options: TestRunOptions): PreparedRun {
  const bytes = options.dataIn ?? new Uint8Array(0);
  const given = contextBytes(options.ctxIn, XdpMd.size);
  const meta = options.ctxIn === undefined ? 0 : metaLength(given, bytes.length);
  if (bytes.length - meta < ETH_HLEN || bytes.length > MAX_PACKET) {
    throw new BpfError(
      bytes.length > MAX_PACKET ? 'ENOMEM' : 'EINVAL',
      `test run of ${program.name}: packet of ${bytes.length} bytes`,
      {
        value: bytes.length,
        remedy: `give dataIn ${ETH_HLEN} to ${MAX_PACKET} bytes`,
      },
    );
  }
  return new XdpRun(
    runtime,
    bytes,
    meta,
    options.ctxIn === undefined ? undefined : given.subarray(0, options.ctxIn.length),
  );
}

function metaLength(ctx: Uint8Array, length: number): number {
  const view = new DataView(ctx.buffer);
  const field = (offset: number): number => view.getUint32(offset, true);
  const data = field(XdpMd.data);
  const shape = field(XdpMd.data_meta) === 0 && field(XdpMd.data_end) === length && data <= length;
  const interfaces = field(XdpMd.egress_ifindex) === 0 && field(XdpMd.rx_queue_index) === 0;
  if (shape && interfaces && data % 4 === 0 && data <= MAX_META && field(XdpMd.ingress_ifindex) <= LOOPBACK_IFINDEX) {
    return data;
  }
  throw new BpfError('EINVAL', 'test run context (struct xdp_md) does not fit the packet', {
    value: `data ${data}, data_end ${field(XdpMd.data_end)}, data_meta ${field(XdpMd.data_meta)}`,
    remedy: `data_meta and the interfaces must be 0, data_end ${length}, data a multiple of 4 up to ${MAX_META}`,
  });
}

class XdpRun implements PreparedRun {
  readonly ctx: BpfOffset;
  readonly ctxSize = XdpMd.size;
  readonly #runtime: Runtime;
  readonly #buffer: BpfOffset;
  readonly #start: number;
  readonly #length: number;
  readonly #given: Uint8Array | undefined;

  constructor(runtime: Runtime, bytes: Uint8Array, meta: number, given: Uint8Array | undefined) {
    const { memory } = runtime;
    this.#runtime = runtime;
    this.#length = bytes.length;
    this.#given = given;
    this.#buffer = memory.alloc(HEADROOM + bytes.length);
    this.ctx = memory.alloc(XdpMd.size);
    this.#start = this.#buffer + HEADROOM;
    memory.u8.set(bytes, this.#start);
    const { view } = memory;
    view.setUint32(this.ctx + XdpMd.data_meta, this.#start, true);
    view.setUint32(this.ctx + XdpMd.data, this.#start + meta, true);
    view.setUint32(this.ctx + XdpMd.data_end, this.#start + Math.min(bytes.length, MAX_LINEAR), true);
    view.setUint32(this.ctx + XdpMd.ingress_ifindex, LOOPBACK_IFINDEX, true);
  }

  enter(run: BpfRunCtx): void {
    run.packetStart = this.#start;
    run.packetEnd = this.#start + Math.min(this.#length, MAX_LINEAR);
    const { packetStart: start, packetEnd: end } = run;
    run.extraRegions.push({ start, end, stride: 0, size: end - start, writable: true });
  }

  finish(): { dataOut: Uint8Array; ctxOut: Uint8Array } {
    const dataOut = this.#runtime.memory.u8.slice(this.#start, this.#start + this.#length);
    // No program can move data or data_end yet, so the context comes back as it was given.
    return { dataOut, ctxOut: this.#given?.slice() ?? new Uint8Array(0) };
  }

  free(): void {
    const { memory } = this.#runtime;
    memory.free(this.ctx, XdpMd.size);
    memory.free(this.#buffer, HEADROOM + this.#length);
  }
}
