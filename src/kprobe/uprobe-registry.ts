import { BpfError } from '../base/index.js';
import type { Host, HostUserText, UserFile } from '../host/index.js';
import { TrapRelay } from './trap-relay.js';
import { Uprobe, type UprobeSpec } from './uprobe.js';
import { UprobePoint } from './uprobe-point.js';
import { UprobeTraps } from './uprobe-traps.js';

const PAGE = 4096;

/**
 * The uprobes of one host: bound to file and offset, met by every process that executes the file, whenever it maps it.
 * Follows kernel/events/uprobes.c, but for what a hit costs the others: where Linux keeps breakpoints out of address spaces
 * that no probe is for, here their hits are passed over.
 */
export class UprobeRegistry {
  readonly host: Host;
  readonly traps: UprobeTraps;
  readonly #user: HostUserText;
  readonly #probes = new Set<Uprobe>();

  /** EOPNOTSUPP where the host cannot patch the text of programs. */
  constructor(host: Host) {
    const { userText, text } = host;
    if (userText === undefined || text === null) {
      throw new BpfError('EOPNOTSUPP', `placing uprobes in ${host.name}`, {
        remedy: 'the host does not follow which files its programs execute',
      });
    }
    this.host = host;
    this.#user = userText;
    this.traps = new UprobeTraps(host, userText);
    TrapRelay.of(text).add(this.traps.handle);
  }

  /** All registered uprobes, in no particular order. */
  get probes(): Iterable<Uprobe> {
    return this.#probes;
  }

  /**
   * uprobe_register(). Errors as there: ENOENT (no such file), EINVAL (an offset outside of the file, an odd counter, another
   * counter than the probes before, bytes that are no instruction), EOPNOTSUPP (an instruction that cannot be displaced,
   * Linux's ENOTSUPP, a breakpoint of the program's own among them), EIO (no room for another patched page).
   */
  register(spec: UprobeSpec): Uprobe {
    const file = this.#open(spec);
    const point = this.traps.point(file.id, spec.offset) ?? this.#publish(file, spec);
    checkCounter(file, spec, point);
    const probe = new Uprobe(file, spec);
    point.probes = [probe, ...point.probes];
    try {
      this.#rearm(point);
    } catch (error) {
      this.#take(probe, point);
      throw error;
    }
    if (probe.refCtrOffset !== 0) this.#user.addToCounter(file, probe.refCtrOffset, 1);
    this.#probes.add(probe);
    return probe;
  }

  /** uprobe_unregister(): no handler of `probe` will be called any more. Calls under way return unseen. Idempotent. */
  unregister(probe: Uprobe): void {
    if (!this.#probes.delete(probe)) return;
    probe.registered = false;
    const point = this.traps.point(probe.file.id, probe.offset) as UprobePoint;
    this.#take(probe, point);
    this.#rearm(point);
    if (probe.refCtrOffset !== 0) this.#user.addToCounter(probe.file, probe.refCtrOffset, -1);
  }

  /** EINVAL if it is not registered. */
  setEnabled(probe: Uprobe, enabled: boolean): void {
    if (!probe.registered) {
      throw new BpfError('EINVAL', `switching a uprobe of ${probe.file.path}`, { remedy: 'it is not registered' });
    }
    probe.enabled = enabled;
    this.#rearm(this.traps.point(probe.file.id, probe.offset) as UprobePoint);
  }

  /** Unregisters all uprobes. Traps of displaced instructions and followed calls are still taken. */
  close(): void {
    for (const probe of this.#probes) this.unregister(probe);
    this.traps.close();
    const { text } = this.host;
    if (text !== null) TrapRelay.of(text).retire(this.traps.handle, () => this.traps.idle);
  }

  #open({ path, offset }: UprobeSpec): UserFile {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`the offset of a uprobe: ${offset}`);
    const file = this.#user.open(path);
    if (file === null) {
      throw new BpfError('ENOENT', `placing a uprobe in ${path}`, { remedy: `${this.host.name} has no such file` });
    }
    if (offset < file.size) return file;
    throw new BpfError('EINVAL', `placing a uprobe in ${path}`, {
      value: `+0x${offset.toString(16)}`,
      remedy: `the file has ${file.size} bytes: give the offset in the file, not an address`,
    });
  }

  /** Reads the instruction and makes the point known to the trap handler. */
  #publish(file: UserFile, { offset, refCtrOffset = 0 }: UprobeSpec): UprobePoint {
    const { probing } = this.host.arch;
    const where = `placing a uprobe at ${file.path}+0x${offset.toString(16)}`;
    const bytes = new Uint8Array(Math.min(probing.maxInsnLength, file.size - offset));
    this.#user.read(file, offset, bytes);
    if (bytes.length >= probing.minInsnLength && probing.isBreakpoint(bytes)) {
      throw new BpfError('EOPNOTSUPP', where, {
        remedy: 'not possible: a breakpoint of the program’s own stands there',
      });
    }
    const plan = probing.plan(bytes, 0n);
    if (plan.kind === 'refuse') {
      const errno = plan.length === 0 ? 'EINVAL' : 'EOPNOTSUPP';
      throw new BpfError(errno, where, { remedy: `not possible: ${plan.reason}` });
    }
    const breakpoint = probing.uprobeBreakpoint(plan.length);
    if ((offset % PAGE) + breakpoint.length > PAGE) {
      throw new BpfError('EINVAL', where, { remedy: 'the breakpoint would cross a page' });
    }
    const point = new UprobePoint(file, offset, bytes.slice(0, plan.length), breakpoint, refCtrOffset);
    this.traps.add(point);
    return point;
  }

  #take(probe: Uprobe, point: UprobePoint): void {
    point.probes = point.probes.filter((other) => other !== probe);
    if (point.probes.length === 0 && !point.armed) this.traps.remove(point);
  }

  #rearm(point: UprobePoint): void {
    const { wanted, armed, breakpoint, file, offset } = point;
    if (wanted !== armed) {
      const original = point.original.subarray(0, breakpoint.length);
      const [from, to] = wanted ? [original, breakpoint] : [breakpoint, original];
      if (!this.#user.patch(file, offset, from, to)) {
        throw new BpfError(
          'EIO',
          `${wanted ? 'arming' : 'disarming'} the uprobe at ${file.path}+0x${offset.toString(16)}`,
          {
            remedy: 'the host has no room for another patched page, or somebody else patches this one',
          },
        );
      }
      point.armed = wanted;
    }
    if (point.probes.length === 0) this.traps.remove(point);
  }
}

function checkCounter(file: UserFile, { refCtrOffset = 0 }: UprobeSpec, point: UprobePoint): void {
  const where = `placing a uprobe in ${file.path}`;
  const value = `ref_ctr_offset 0x${refCtrOffset.toString(16)}`;
  if (refCtrOffset % 2 !== 0 || refCtrOffset < 0 || refCtrOffset + 2 > file.size) {
    throw new BpfError('EINVAL', where, { value, remedy: 'the counter is two bytes of the file, at an even offset' });
  }
  if (point.refCtrOffset === refCtrOffset) return;
  throw new BpfError('EINVAL', where, {
    value,
    remedy: `the probes there count at 0x${point.refCtrOffset.toString(16)}: all must name the same counter`,
  });
}
