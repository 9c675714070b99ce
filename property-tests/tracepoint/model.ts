/** Two tracepoints (0: one event, 1: three events); places 0 and 1 are their raw probes, 2 to 5 the events. */
export const PLACES = 6;
export const LISTENERS = 6;
/** Events under construction on a CPU at one time. */
const LEVELS = 4;
/** Neither side fires deeper than this. */
export const MAX_DEPTH = 6;
const EVENT_PRIORITY = 10;

export const tracepointOf = (place: number): number => (place < 2 ? place : place === 2 ? 0 : 1);
export const priorityOf = (listener: number): number => [5, 10, 20][listener % 3];
/** Whether the event at `place` takes a hit with this number: sys_enter_read takes 0, sys_enter_write 1. */
const accepts = (place: number, number: number): boolean => place < 4 || number === place - 4;

/** What a listener does each time it is called. */
export interface Behaviour {
  readonly kind: 'nothing' | 'add' | 'remove' | 'fire';
  readonly place: number;
  readonly listener: number;
}

interface Entry {
  /** A listener, or the event (by place) that is a probe on its tracepoint. */
  readonly listener: number | null;
  readonly place: number;
  readonly priority: number;
  active: boolean;
}

/** Lists and counters: what a registry with these listeners must do. */
export class TracepointModel {
  readonly log: string[] = [];
  readonly hits = new Array<number>(PLACES).fill(0);
  readonly missed = new Array<number>(PLACES).fill(0);
  /** Probes of each tracepoint, and consumers of each event at its place. */
  readonly #probes: Entry[][] = [[], []];
  readonly #consumers: Entry[][] = Array.from({ length: PLACES }, () => []);
  readonly #behaviours: readonly Behaviour[];
  readonly #levels = [0, 0];
  #depth = 0;

  constructor(behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
  }

  get flags(): boolean[] {
    return this.#probes.map((probes) => probes.length > 0);
  }

  users(place: number): number {
    return this.#listAt(place).filter((entry) => entry.listener !== null).length;
  }

  add(place: number, listener: number): void {
    const list = this.#listAt(place);
    if (list.some((entry) => entry.listener === listener)) {
      this.log.push('EEXIST');
      return;
    }
    const first = list.length === 0;
    this.#insert(list, { listener, place, priority: priorityOf(listener), active: true });
    if (place >= 2 && first) {
      this.#insert(this.#probes[tracepointOf(place)], {
        listener: null,
        place,
        priority: EVENT_PRIORITY,
        active: true,
      });
    }
  }

  remove(place: number, listener: number): void {
    const list = this.#listAt(place);
    if (!this.#drop(list, (entry) => entry.listener === listener)) {
      this.log.push('ENOENT');
      return;
    }
    if (place >= 2 && list.length === 0) {
      this.#drop(this.#probes[tracepointOf(place)], (entry) => entry.listener === null && entry.place === place);
    }
  }

  fire(tracepoint: number, number: number, cpu: number): void {
    if (this.#depth === MAX_DEPTH) return;
    this.#depth++;
    for (const entry of [...this.#probes[tracepoint]]) {
      if (!entry.active) continue;
      if (entry.listener !== null) this.#call(entry, cpu);
      else if (accepts(entry.place, number)) this.#record(entry.place, cpu);
    }
    this.#depth--;
  }

  #record(place: number, cpu: number): void {
    this.hits[place] = this.hits[place] + 1;
    const level = this.#levels[cpu];
    if (level === LEVELS) {
      this.missed[place] = this.missed[place] + 1;
      return;
    }
    this.#levels[cpu] = level + 1;
    for (const entry of [...this.#consumers[place]]) if (entry.active) this.#call(entry, cpu);
    this.#levels[cpu] = level;
  }

  #call({ place, listener }: Entry, cpu: number): void {
    this.log.push(`${place}:${listener}`);
    const behaviour = this.#behaviours[listener as number];
    if (behaviour.kind === 'add') this.add(behaviour.place, behaviour.listener);
    if (behaviour.kind === 'remove') this.remove(behaviour.place, behaviour.listener);
    if (behaviour.kind === 'fire') this.fire(behaviour.place % 2, behaviour.listener % 2, cpu);
  }

  #listAt(place: number): Entry[] {
    return place < 2 ? this.#probes[place] : this.#consumers[place];
  }

  #insert(list: Entry[], entry: Entry): void {
    const at = list.findIndex((other) => other.priority < entry.priority);
    list.splice(at < 0 ? list.length : at, 0, entry);
  }

  #drop(list: Entry[], is: (entry: Entry) => boolean): boolean {
    const at = list.findIndex(is);
    if (at < 0) return false;
    list[at].active = false;
    list.splice(at, 1);
    return true;
  }
}
