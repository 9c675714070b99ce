import type { Arch } from '../arch/index.js';
import { BpfError } from '../base/index.js';
import type { Host, HostText } from '../host/index.js';
import { Kprobe, type KprobePlace, type KprobeSpec } from './kprobe.js';
import { KprobePoint } from './kprobe-point.js';
import { KprobeTraps } from './kprobe-traps.js';
import { planProbe } from './probe-refusal.js';
import { resolvePlace, type ResolvedPlace } from './resolve.js';
import { SlotCache } from './slot-cache.js';
import { TextReader } from './text-reader.js';
import { TrapRelay } from './trap-relay.js';

/**
 * The kprobes of one host. Probes at one address share a patched point; the breakpoint stands in the text while
 * one of them is enabled. Registering publishes a point before it patches; removing unpatches first, lets the host deliver
 * the traps that were met before (outside of handlers), and frees the slot when the last hit in flight has left it: both
 * are safe from inside a handler.
 */
export class KprobeRegistry {
  readonly host: Host;
  readonly traps: KprobeTraps;
  readonly #text: HostText;
  readonly #arch: Arch;
  readonly #reader: TextReader;
  readonly #slots: SlotCache;
  readonly #probes = new Set<Kprobe>();

  /** Takes over the host's traps. EOPNOTSUPP where its text cannot be patched. */
  constructor(host: Host) {
    if (host.text === null) {
      throw new BpfError('EOPNOTSUPP', `placing probes in ${host.name}`, { remedy: 'its text cannot be patched' });
    }
    this.host = host;
    this.#text = host.text;
    this.#arch = host.arch;
    this.traps = new KprobeTraps(host);
    this.#reader = new TextReader(host, this.traps.points);
    this.#slots = new SlotCache(host.text, host.arch.probing, this.#reader);
    this.traps.onDrained = (point) => this.#free(point);
    TrapRelay.of(host.text).add(this.traps.handle);
  }

  /** All registered probes but those that serve other hooks, in no particular order. */
  get probes(): Iterable<Kprobe> {
    return [...this.#probes].filter(({ layer }) => layer === 0);
  }

  /**
   * The sysctl debug.kprobes-optimization. Off, and turning it on is EOPNOTSUPP: jumps in the place of breakpoints need
   * room, and a host that changes several instructions at once, and gain nothing where handlers run outside of the kernel.
   */
  get optimization(): boolean {
    return false;
  }

  set optimization(enabled: boolean) {
    if (!enabled) return;
    throw new BpfError('EOPNOTSUPP', 'optimising kprobes', {
      value: 'kprobes-optimization',
      remedy: 'jump optimisation is left out: every probe is a breakpoint',
    });
  }

  /** Where `place` is; the errors of `register` but for those that depend on the instruction. */
  resolve(place: KprobePlace): ResolvedPlace {
    return resolvePlace(this.host, place);
  }

  /** Why `register` would refuse a probe there, or null: nothing is changed. Whether there is a slot left is not asked. */
  refusal(place: KprobePlace): BpfError | null {
    try {
      const resolved = this.resolve(place);
      if (this.traps.points.get(resolved.addr) === undefined) planProbe(this.host, this.#reader, resolved);
      return null;
    } catch (error) {
      if (error instanceof BpfError) return error;
      throw error;
    }
  }

  /**
   * register_kprobe(). Errors as there: EINVAL (not exactly one of symbol and address, no text, blacklisted, an
   * instruction that cannot be displaced), ENOENT (no such symbol), EILSEQ (inside an instruction), EOPNOTSUPP (an
   * instruction that must not be displaced), ENOMEM (no slot).
   */
  register(spec: KprobeSpec): Kprobe {
    const place = this.resolve(spec);
    const point = this.traps.points.get(place.addr) ?? this.#publish(place);
    const probe = new Kprobe(place.addr, place.symbol.name, place.offset, spec);
    point.add(probe);
    try {
      this.#rearm(point);
    } catch (error) {
      point.remove(probe);
      this.#settle(point);
      throw error;
    }
    this.#probes.add(probe);
    return probe;
  }

  /** unregister_kprobe(): when it returns, no handler of `probe` will be called any more. Idempotent. */
  unregister(probe: Kprobe): void {
    this.unregisterAll([probe]);
  }

  /** unregister_kprobes(): many at once, for one wait. */
  unregisterAll(probes: Iterable<Kprobe>): void {
    const left: KprobePoint[] = [];
    for (const probe of probes) {
      if (!this.#probes.delete(probe)) continue;
      probe.registered = false;
      const point = this.#pointOf(probe);
      point.remove(probe);
      this.#rearm(point);
      if (point.probes.length === 0) left.push(point);
    }
    if (left.length === 0) return;
    // A trap that is still under way finds the point, or the text without a breakpoint: it is executed anew.
    if (this.traps.handlers === 0) this.#text.drain?.();
    for (const point of left) this.#settle(point);
  }

  /** EINVAL if it is not registered. */
  enable(probe: Kprobe): void {
    this.#switch(probe, true);
  }

  /** EINVAL if it is not registered. The last probe of a point that is disabled takes the breakpoint with it. */
  disable(probe: Kprobe): void {
    this.#switch(probe, false);
  }

  /** Unregisters all probes. Traps of hits and followed calls that are under way are still taken. */
  close(): void {
    this.unregisterAll([...this.#probes]);
    TrapRelay.of(this.#text).retire(this.traps.handle, () => this.traps.idle);
  }

  #switch(probe: Kprobe, enabled: boolean): void {
    if (!probe.registered) {
      throw new BpfError('EINVAL', `${enabled ? 'enabling' : 'disabling'} a probe at ${probe.symbolName}`, {
        remedy: 'it is not registered',
      });
    }
    probe.enabled = enabled;
    this.#rearm(this.#pointOf(probe));
  }

  #pointOf(probe: Kprobe): KprobePoint {
    return this.traps.points.get(probe.addr) as KprobePoint;
  }

  /** Prepares the instruction and makes the point known to the trap handler. */
  #publish(place: ResolvedPlace): KprobePoint {
    const where = this.host.symbols.format(place.addr);
    const { plan, bytes } = planProbe(this.host, this.#reader, place);
    const original = bytes.slice(0, plan.length);
    const slot = plan.relocate === undefined ? null : this.#slots.place(plan.relocate, where);
    const breakpoint = this.#arch.probing.breakpoint(plan.length);
    const point = new KprobePoint(place.addr, original, breakpoint, plan, slot);
    this.traps.points.set(point.lo, point.hi, point);
    if (slot !== null) this.traps.slotEnds.set(slot.endLo, slot.endHi, point);
    return point;
  }

  /** Puts the breakpoint in or takes it out, as the point's probes want it. */
  #rearm(point: KprobePoint): void {
    const { wanted, armed, breakpoint, addr } = point;
    if (wanted === armed) return;
    const original = point.original.subarray(0, breakpoint.length);
    const [from, to] = wanted ? [original, breakpoint] : [breakpoint, original];
    if (!this.#text.patch(addr, from, to)) {
      throw new BpfError('EIO', `${wanted ? 'arming' : 'disarming'} the probe at ${this.host.symbols.format(addr)}`, {
        remedy: 'its text is not what it was when the probe was prepared: somebody else patches it too',
      });
    }
    point.armed = wanted;
  }

  /** Frees a point that nobody wants, at once or when its hits in flight have left it. */
  #settle(point: KprobePoint): void {
    if (point.probes.length === 0 && point.inFlight === 0) this.#free(point);
  }

  #free(point: KprobePoint): void {
    // Draining may have freed it already.
    if (this.traps.points.find(point.lo, point.hi) !== point) return;
    this.traps.points.delete(point.lo, point.hi);
    if (point.slot === null) return;
    this.traps.slotEnds.delete(point.slot.endLo, point.slot.endHi);
    this.#slots.release(point.slot.address);
  }
}
