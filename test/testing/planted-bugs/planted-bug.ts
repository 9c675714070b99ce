import type { PtRegs } from '../../../src/arch/index.js';
import { u64 } from '../../../src/base/index.js';
import type { Host, HostMemory, HostText, TrapFrame, TrapHandler } from '../../../src/host/index.js';
import type { HostFacts } from '../../../src/testing/index.js';

/** A sound host with the facts about it. */
export interface KitSubject {
  readonly host: Host;
  readonly facts: HostFacts;
}

/** One mistake that a port could make, and the check that has to name it. */
export interface PlantedBug {
  readonly name: string;
  readonly finds: string;
  plant(subject: KitSubject): KitSubject;
}

/** `target` with some members replaced. */
export function override<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(object, key) {
      if (Object.hasOwn(changes, key)) return changes[key as keyof T];
      const value: unknown = Reflect.get(object, key, object);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
    has: (object, key) => key in object || key in changes,
  });
}

/** A bug in one part of the host. */
export function bugIn<K extends keyof Host>(
  part: K,
  name: string,
  finds: string,
  broken: (sound: NonNullable<Host[K]>, subject: KitSubject) => Partial<NonNullable<Host[K]>>,
): PlantedBug {
  return {
    name,
    finds,
    plant(subject) {
      const sound = subject.host[part] as NonNullable<Host[K]> & object;
      const changes = { [part]: override(sound, broken(sound, subject) as Partial<typeof sound>) } as Partial<Host>;
      return { ...subject, host: override(subject.host, changes) };
    },
  };
}

/** A bug in what stands between the machine's traps and the handler. */
export function bugInTraps(
  name: string,
  finds: string,
  broken: (handler: TrapHandler, text: HostText, subject: KitSubject) => TrapHandler,
): PlantedBug {
  return bugIn('text', name, finds, (text, subject) => ({
    setTrapHandler: (handler) => text.setTrapHandler(handler === null ? null : broken(handler, text, subject)),
  }));
}

/** A frame with other values than the real one's. */
export function frameLike(frame: TrapFrame, changes: Partial<TrapFrame>): TrapFrame {
  return { cpu: frame.cpu, kind: frame.kind, user: frame.user, regs: frame.regs, ...changes };
}

export type Read = HostMemory['readKernel'];

export function addressOf(lo: number, hi: number): bigint {
  return u64(lo, hi);
}

/** pc of a trap as the address of its breakpoint, on x86-64. */
export function breakpointOf(regs: PtRegs): bigint {
  return regs.ip - 1n;
}
