import { type BpfRuntime, type LossLedger, RingBufferMap, ringLedger } from '../runtime/index.js';

/** Keeps the account of every ring buffer map of a runtime, read by somebody or not, until the map is gone. */
export class RingAccounts {
  readonly #runtime: BpfRuntime;
  readonly #ledger: LossLedger;
  readonly #open = new Map<RingBufferMap, () => void>();

  constructor(runtime: BpfRuntime, ledger: LossLedger) {
    this.#runtime = runtime;
    this.#ledger = ledger;
    runtime.onMapRelease = (map) => {
      if (map instanceof RingBufferMap) this.#close(map);
    };
  }

  /** Opens accounts for the maps created since the last call. */
  openNew(): void {
    for (const map of this.#runtime.maps) {
      if (!(map instanceof RingBufferMap) || this.#open.has(map)) continue;
      this.#open.set(map, this.#ledger.open(ringLedger(this.#runtime.memory, map)));
    }
  }

  /** The map's memory is about to go: its counts are settled, also where nobody has asked for them yet. */
  #close(map: RingBufferMap): void {
    const close = this.#open.get(map) ?? this.#ledger.open(ringLedger(this.#runtime.memory, map));
    close();
    this.#open.delete(map);
  }
}
