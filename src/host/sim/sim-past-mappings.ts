import type { UserMapping } from '../user-text.js';
import type { SimAddressSpaces } from './sim-address-spaces.js';
import type { SimTasks } from './sim-tasks.js';

/** Processes remembered at most; the oldest are forgotten first. */
const REMEMBERED_MAX = 4096;

/** What a process had mapped while it was one program. */
interface Era {
  readonly comm: string;
  readonly mappings: readonly UserMapping[];
}

/**
 * The mappings of processes, those that have ended among them. They are written down when a process is forked, when it
 * becomes another program and when it exits, so that what was recorded of it can be named afterwards.
 */
export class SimPastMappings {
  readonly #tasks: SimTasks;
  readonly #spaces: SimAddressSpaces;
  /** By tgid, the latest last. */
  readonly #eras = new Map<number, Era[]>();

  constructor(tasks: SimTasks, spaces: SimAddressSpaces) {
    this.#tasks = tasks;
    this.#spaces = spaces;
  }

  /** Writes down what the process has mapped now. */
  keep(tgid: number): void {
    const era = this.#now(tgid);
    if (era === undefined) return;
    const eras = this.#eras.get(tgid) ?? [];
    this.#eras.set(tgid, [...eras.filter(({ comm }) => comm !== era.comm), era]);
    const [oldest] = this.#eras.keys();
    if (this.#eras.size > REMEMBERED_MAX && oldest !== undefined) this.#eras.delete(oldest);
  }

  /** Those of the process while it was `comm`; without one, the latest. */
  of(tgid: number, comm?: string): readonly UserMapping[] | undefined {
    const now = this.#now(tgid);
    if (now !== undefined && (comm === undefined || comm === now.comm)) return now.mappings;
    return this.#eras.get(tgid)?.findLast((era) => comm === undefined || era.comm === comm)?.mappings;
  }

  #now(tgid: number): Era | undefined {
    const task = this.#tasks.find(tgid);
    const mappings = task === undefined ? [] : [...this.#spaces.mappings(this.#spaces.of(task))];
    return mappings.length === 0 ? undefined : { comm: this.#tasks.commOf(tgid) ?? '', mappings };
  }
}
