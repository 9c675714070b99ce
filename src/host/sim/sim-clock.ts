import { hi32, lo32 } from '../../base/index.js';
import type { HostClock } from '../host.js';
import type { SimMachine } from './machine/sim-machine.js';

/** Seconds TAI is ahead of UTC. */
const TAI_OFFSET_NS = 37_000_000_000n;

/** Virtual time. It stands still while anything outside the machine runs. */
export class SimClock implements HostClock {
  readonly #machine: SimMachine;
  readonly #realtimeAtBoot: bigint;
  readonly #tickNs: number;

  constructor(machine: SimMachine, realtimeAtBoot: bigint, tickNs: bigint) {
    this.#machine = machine;
    this.#realtimeAtBoot = realtimeAtBoot;
    this.#tickNs = Number(tickNs);
  }

  monotonic(out: Int32Array): void {
    store(out, this.#machine.now);
  }

  /** The machine never suspends. */
  boottime(out: Int32Array): void {
    store(out, this.#machine.now);
  }

  realtime(out: Int32Array): void {
    storeBig(out, this.#realtimeAtBoot + BigInt(this.#machine.now));
  }

  tai(out: Int32Array): void {
    storeBig(out, this.#realtimeAtBoot + TAI_OFFSET_NS + BigInt(this.#machine.now));
  }

  jiffies(out: Int32Array): void {
    store(out, Math.floor(this.#machine.now / this.#tickNs));
  }
}

function store(out: Int32Array, value: number): void {
  out[0] = value | 0;
  out[1] = Math.floor(value / 0x1_0000_0000);
}

function storeBig(out: Int32Array, value: bigint): void {
  out[0] = lo32(value);
  out[1] = hi32(value);
}
