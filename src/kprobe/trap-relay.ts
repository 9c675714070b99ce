import type { HostText, TrapFrame, TrapHandler } from '../host/index.js';

/** One registry's handler; `idle` is there once the registry has closed. */
interface Receiver {
  readonly handler: TrapHandler;
  idle: (() => boolean) | null;
}

const relays = new WeakMap<HostText, TrapRelay>();

/**
 * The one trap handler of a host's text, shared by the registries that come one after another. A registry that has
 * closed is still asked while a return address of its making or a displaced instruction is out: traps that nobody
 * knows would end the host. The relay itself stays, for a breakpoint that was met before it was taken out.
 */
export class TrapRelay {
  readonly #text: HostText;
  /** The newest first. */
  #receivers: readonly Receiver[] = [];

  private constructor(text: HostText) {
    this.#text = text;
  }

  static of(text: HostText): TrapRelay {
    let relay = relays.get(text);
    if (relay === undefined) {
      relay = new TrapRelay(text);
      relays.set(text, relay);
    }
    return relay;
  }

  /** From now on `handler` is asked first. */
  add(handler: TrapHandler): void {
    this.#receivers = [{ handler, idle: null }, ...this.#receivers.filter(isNeeded)];
    // The only one is asked without a detour.
    this.#text.setTrapHandler(this.#receivers.length === 1 ? handler : this.#handle);
  }

  /** Asks `handler` no more once `idle` says that it expects no trap, and somebody else came. Idempotent. */
  retire(handler: TrapHandler, idle: () => boolean): void {
    for (const receiver of this.#receivers) if (receiver.handler === handler) receiver.idle ??= idle;
  }

  readonly #handle = (frame: TrapFrame): boolean => {
    const receivers = this.#receivers;
    for (let i = 0; i < receivers.length; i++) if (receivers[i].handler(frame)) return true;
    return false;
  };
}

function isNeeded({ idle }: Receiver): boolean {
  return idle === null || !idle();
}
