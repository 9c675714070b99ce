import type { BpfProgram } from '../program.js';
import type { Runtime } from '../runtime.js';
import { AttachPoint, type AttachPointOptions } from './attach-point.js';
import type { Hit } from './hit-code.js';
import { type AttachmentCounts, type AttachmentOptions, ProgramAttachment } from './program-attachment.js';

/** The listeners of a hook, in the order of their calls. */
export interface HookListeners<E> {
  /** What was given with the listener behind which the next one comes; undefined where it is the first. */
  readonly newest: unknown;
  register(listener: Hit<E>, data: unknown): void;
  unregister(listener: Hit<E>, data: unknown): void;
  /** Puts `next` in the place of `listener`, from the next hit on. */
  replace(listener: Hit<E>, data: unknown, next: Hit<E>): void;
}

/** A program among the listeners of a hook, until `detach`. */
export interface ProgramLink {
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
}

/**
 * Attaches a program behind all listeners of a hook. It joins the programs that stand there last already, so that
 * programs and other listeners are called in the order in which they came.
 */
export function linkProgram<E>(
  runtime: Runtime,
  program: BpfProgram,
  listeners: HookListeners<E>,
  place: AttachPointOptions<E>,
  options: AttachmentOptions,
): ProgramLink {
  const joined = pointToJoin(listeners, place.owner);
  const point = joined ?? new AttachPoint(place);
  const attachment = new ProgramAttachment(runtime, program, point.hook, options);
  const { hit } = point;
  point.add(attachment);
  if (joined === undefined) listeners.register(point.hit, point);
  else listeners.replace(hit, point, point.hit);
  return {
    program,
    get counts() {
      return attachment.counts;
    },
    detach: () => detach(listeners, point, attachment),
  };
}

function pointToJoin<E>({ newest }: HookListeners<E>, owner: unknown): AttachPoint<E> | undefined {
  return newest instanceof AttachPoint && newest.owner === owner ? (newest as AttachPoint<E>) : undefined;
}

function detach<E>(listeners: HookListeners<E>, point: AttachPoint<E>, attachment: ProgramAttachment): void {
  if (!attachment.live) return;
  const { hit } = point;
  point.remove(attachment);
  if (point.size === 0) listeners.unregister(hit, point);
  else listeners.replace(hit, point, point.hit);
  attachment.dispose();
}
