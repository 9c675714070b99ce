import { hi32, lo32, u64 } from '../../base/index.js';
import type { HostClock } from '../host.js';
import type { V86Machine } from './v86-machine.js';

/** CONFIG_HZ of Debian's kernels. */
const HZ = 250n;
const SECOND = 1_000_000_000n;
/** INITIAL_JIFFIES of a 32-bit kernel: the low word is about to wrap five minutes after boot. */
const INITIAL_JIFFIES = BigInt.asUintN(32, -300n * HZ);

/**
 * Time as the machine's time stamp counter has it, in nanoseconds since power on: the guest's own clock reads the same
 * counter, but counts from where its kernel began. It goes on while handlers run and while the machine stands still.
 */
export class V86Clock implements HostClock {
  readonly #machine: V86Machine;
  readonly #now = new Int32Array(2);

  constructor(machine: V86Machine) {
    this.#machine = machine;
  }

  monotonic(out: Int32Array): void {
    this.#machine.timeStamp(out);
  }

  /** The machine never suspends. */
  boottime(out: Int32Array): void {
    this.#machine.timeStamp(out);
  }

  /** The emulated real-time clock follows that of the computer it runs on. */
  realtime(out: Int32Array): void {
    const now = BigInt(Date.now()) * 1_000_000n;
    out[0] = lo32(now);
    out[1] = hi32(now);
  }

  /** Nobody has told the guest's kernel that TAI differs from UTC. */
  tai(out: Int32Array): void {
    this.realtime(out);
  }

  jiffies(out: Int32Array): void {
    this.#machine.timeStamp(this.#now);
    const jiffies = INITIAL_JIFFIES + (u64(this.#now[0], this.#now[1]) * HZ) / SECOND;
    out[0] = lo32(jiffies);
    out[1] = hi32(jiffies);
  }
}
