import { hitCode, type Hit, HitGeneration, type Prepare } from './hit-code.js';
import type { HookContext, ProgramAttachment } from './program-attachment.js';

/** What a hook shows its programs, and how it gets into BpfMemory. */
export interface AttachPointOptions<E> {
  /** Programs of another owner do not join. */
  readonly owner: unknown;
  readonly hook: HookContext;
  readonly prepare: Prepare<E>;
}

/**
 * Programs that stand one after the other on one hook: they share the context of a hit, and one function takes it.
 * `hit` is another one after each change; whoever still calls the one before runs the programs of then, less those
 * that are gone.
 */
export class AttachPoint<E> {
  readonly owner: unknown;
  readonly hook: HookContext;
  readonly #prepare: Prepare<E>;
  #attachments: readonly ProgramAttachment[] = [];
  #generation = new HitGeneration();
  #hit: Hit<E>;

  constructor({ owner, hook, prepare }: AttachPointOptions<E>) {
    this.owner = owner;
    this.hook = hook;
    this.#prepare = prepare;
    this.#hit = hitCode(prepare, [], this.#generation);
  }

  get size(): number {
    return this.#attachments.length;
  }

  get hit(): Hit<E> {
    return this.#hit;
  }

  add(attachment: ProgramAttachment): void {
    this.#set([...this.#attachments, attachment]);
  }

  remove(attachment: ProgramAttachment): void {
    this.#set(this.#attachments.filter((other) => other !== attachment));
  }

  #set(attachments: readonly ProgramAttachment[]): void {
    this.#generation.end();
    this.#generation = new HitGeneration();
    this.#attachments = attachments;
    this.#hit = hitCode(this.#prepare, attachments, this.#generation);
  }
}
