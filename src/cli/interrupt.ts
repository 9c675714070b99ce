/** What `Interrupt` needs of Node's `process`. */
interface SignalSource {
  once(signal: 'SIGINT', listener: () => void): unknown;
}

/**
 * Ctrl-C as an AbortSignal. It is caught from when a command asks for the signal: one that never does is ended by it, also in
 * the middle of work that lets no listener have its turn. A second one ends the command in any case.
 */
export class Interrupt {
  readonly #source: SignalSource;
  #controller: AbortController | null = null;

  constructor(source: SignalSource) {
    this.#source = source;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      const controller = new AbortController();
      this.#controller = controller;
      this.#source.once('SIGINT', () => controller.abort());
    }
    return this.#controller.signal;
  }
}
