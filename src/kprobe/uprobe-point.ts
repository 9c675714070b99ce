import type { ArchProbing } from '../arch/index.js';
import { hi32, lo32 } from '../base/index.js';
import type { HostUserText, UserFile } from '../host/index.js';
import type { ExecutablePlan } from './kprobe-point.js';
import type { Uprobe } from './uprobe.js';

/** Room for the longest instruction with what mends it, and a breakpoint. */
const SLOT_BYTES = 64;

/** Where the instruction stands in some address space, and how it is executed there. */
export interface UprobeSite {
  readonly plan: ExecutablePlan;
  /** Address of the next instruction. */
  readonly nextLo: number;
  readonly nextHi: number;
  /** Copy for execution out of line: made when it is first needed. Null: it cannot be had. */
  slot: UserSlot | null | undefined;
}

export interface UserSlot {
  readonly address: bigint;
  readonly lo: number;
  readonly hi: number;
  /** Address of the breakpoint behind the copy. */
  readonly end: bigint;
}

/** One instruction of a file, shared by all probes on it. */
export class UprobePoint {
  readonly file: UserFile;
  readonly offset: number;
  /** The whole instruction. */
  readonly original: Uint8Array;
  readonly breakpoint: Uint8Array;
  /** Offset of the counter that its probes share; 0: none. */
  readonly refCtrOffset: number;
  /** Copy on write, the newest first as in Linux. */
  probes: readonly Uprobe[] = [];
  armed = false;
  readonly #sites = new Map<bigint, UprobeSite>();

  constructor(file: UserFile, offset: number, original: Uint8Array, breakpoint: Uint8Array, refCtrOffset: number) {
    this.file = file;
    this.offset = offset;
    this.original = original;
    this.breakpoint = breakpoint;
    this.refCtrOffset = refCtrOffset;
  }

  get wanted(): boolean {
    return this.probes.some((probe) => probe.enabled);
  }

  /** How the instruction is executed at `address`; programs may map the file anywhere. */
  site(probing: ArchProbing, address: bigint): UprobeSite | null {
    const known = this.#sites.get(address);
    if (known !== undefined) return known;
    const plan = probing.plan(this.original, address);
    if (plan.kind === 'refuse') return null;
    const next = address + BigInt(this.original.length);
    const site: UprobeSite = { plan, nextLo: lo32(next), nextHi: hi32(next), slot: undefined };
    this.#sites.set(address, site);
    return site;
  }
}

const slotsOf = new WeakMap<HostUserText, UserSlots>();

/**
 * Makes a copy of a site's instruction that user mode can execute, followed by a breakpoint. Slots are never given back: a
 * task may be inside, preempted, for any time. One that comes to the same bytes at the same place is used again, also by the
 * next registry of the host, which knows where to go on from the slots of those before.
 */
export class UserSlots {
  readonly #text: HostUserText;
  readonly #probing: ArchProbing;
  readonly #made = new Map<string, UserSlot>();
  /** Where to go on after the breakpoint of a slot. */
  readonly ends = new Map<bigint, UprobeSite>();

  private constructor(text: HostUserText, probing: ArchProbing) {
    this.#text = text;
    this.#probing = probing;
  }

  /** Those of a host. */
  static on(text: HostUserText, probing: ArchProbing): UserSlots {
    let slots = slotsOf.get(text);
    if (slots === undefined) {
      slots = new UserSlots(text, probing);
      slotsOf.set(text, slots);
    }
    return slots;
  }

  /** Null where there is no room, or the instruction cannot run elsewhere. */
  of(point: UprobePoint, site: UprobeSite, address: bigint): UserSlot | null {
    if (site.slot === undefined) site.slot = this.#make(point, site, address);
    return site.slot;
  }

  #make(point: UprobePoint, site: UprobeSite, address: bigint): UserSlot | null {
    const key = `${address}:${point.original.join()}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const relocate = site.plan.relocate ?? this.#probing.userRelocation?.(point.original, address) ?? null;
    const room = relocate === null ? null : this.#text.allocExec(SLOT_BYTES, address);
    if (room === null || relocate === null) return null;
    const moved = relocate(room);
    if (moved === null) {
      this.#text.freeExec(room, SLOT_BYTES);
      return null;
    }
    const breakpoint = this.#probing.uprobeBreakpoint(moved.length);
    const bytes = new Uint8Array(moved.length + breakpoint.length);
    bytes.set(moved);
    bytes.set(breakpoint, moved.length);
    this.#text.writeExec(room, bytes);
    const slot = { address: room, lo: lo32(room), hi: hi32(room), end: room + BigInt(moved.length) };
    this.#made.set(key, slot);
    this.ends.set(slot.end, site);
    return slot;
  }
}
