import type { DrivenHost } from '../../host/index.js';
import type { SimHost } from '../../host/sim/index.js';

/** A host that a command runs, and what the command must know of its kind. */
export interface OpenedHost {
  readonly host: DrivenHost;
  /** The same host, where it is the simulator. */
  readonly sim: SimHost | null;
  /** Nanoseconds it runs between two drains of the rings. */
  readonly slice: bigint;
  /** Gives the host back: ends it, or lets a machine that was up before go on. */
  close(): void;
}
