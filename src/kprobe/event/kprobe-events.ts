import { BpfError, hi32, lo32 } from '../../base/index.js';
import type { Host } from '../../host/index.js';
import type { KprobeRegistry } from '../kprobe-registry.js';
import type { KretprobeRegistry } from '../kretprobe-registry.js';
import { compileStore, type FetchStore, type StoreMachine } from './compile-store.js';
import { type EventDefinition, placeText, splitOffset, splitWords } from './event-definition.js';
import { layOutEvent } from './event-layout.js';
import { type EventProbe, KprobeEvent } from './kprobe-event.js';
import { parseDefinition, registrationError } from './parse-definition.js';
import { ProbeEventError, type ProbeEventErrorName } from './probe-event-error.js';
import { differingArg, matchesCommand, sameProbe } from './same-probe.js';

/** Longest line that is taken (WRITE_BUFSIZE without its end). */
const MAX_LINE = 4094;
const REMOVAL = 'name what goes away: -:[GROUP/]EVENT [PLACE [ARG]...]';

/** What a machine does with events as they come and go. */
export interface KprobeEventListener {
  /** Whether a trace event of another kind has the name. */
  exists(group: string, name: string): boolean;
  added(event: KprobeEvent): void;
  /** EBUSY where it is in use. */
  removing(event: KprobeEvent): void;
}

const NOBODY: KprobeEventListener = { exists: () => false, added: () => undefined, removing: () => undefined };

/**
 * The kprobe events of one host: what is written to tracefs' `kprobe_events` and read from it. Each probe is registered at
 * once, and armed while its event is on.
 */
export class KprobeEvents {
  readonly #host: Host;
  readonly #kprobes: KprobeRegistry;
  readonly #kretprobes: KretprobeRegistry;
  readonly #listener: KprobeEventListener;
  readonly #machine: StoreMachine;
  readonly #events: KprobeEvent[] = [];
  /** Probes in the order of their definition, which `kprobe_events` shows. */
  readonly #probes: { readonly event: KprobeEvent; readonly probe: EventProbe }[] = [];

  constructor(kprobes: KprobeRegistry, kretprobes: KretprobeRegistry, listener: KprobeEventListener = NOBODY) {
    const { host } = kprobes;
    this.#host = host;
    this.#kprobes = kprobes;
    this.#kretprobes = kretprobes;
    this.#listener = listener;
    this.#machine = {
      arch: host.arch,
      memory: host.memory,
      insns: kprobes.traps.memory,
      tasks: host.tasks,
      symbols: host.symbols,
      symbol: (text) => this.#symbol(text),
    };
  }

  /** Oldest first. */
  get events(): readonly KprobeEvent[] {
    return this.#events;
  }

  event(group: string, name: string): KprobeEvent | undefined {
    return this.#events.find((event) => event.group === group && event.name === name);
  }

  /**
   * Takes definitions and removals, one a line, `#` begins a comment. The first that is refused ends it, with the
   * ProbeEventError that says what Linux would answer and log; those before it stand.
   */
  write(text: string): void {
    for (const line of text.split('\n')) {
      if (line.length > MAX_LINE) {
        throw new BpfError('EINVAL', 'defining kprobe events', {
          value: line.length,
          remedy: `a line has at most ${MAX_LINE} characters`,
        });
      }
      const words = splitWords(line);
      if (words.length === 0) continue;
      if (words[0].startsWith('-')) this.#remove(words);
      else this.#define(words);
    }
  }

  /** All definitions in the words of `kprobe_events`. */
  toString(): string {
    return this.#probes.map(({ event, probe }) => `${definitionText(event, probe)}\n`).join('');
  }

  /** The text of `kprobe_profile`: hits and misses of each event. */
  profile(): string {
    return this.#events
      .map(({ name, counts }) => `  ${name.padEnd(44)} ${pad(counts.hits)} ${pad(counts.missed)}\n`)
      .join('');
  }

  /** Removes all events. EBUSY if one is on; then all stand. */
  clear(): void {
    for (const event of this.#events) this.#checkIdle(event, ['']);
    for (const { event, probe } of [...this.#probes]) this.#removeProbe(event, probe);
  }

  #define(words: readonly string[]): void {
    const definition = parseDefinition(words, this.#host);
    const known = this.event(definition.group, definition.event);
    if (known === undefined) this.#addEvent(definition);
    else this.#append(definition, known);
  }

  #addEvent(definition: EventDefinition): void {
    const { group, event: name, args, isReturn, words } = definition;
    if (this.#listener.exists(group, name)) throw refuse(words, 'EVENT_EXIST', 0);
    const layout = layOutEvent(args, isReturn, this.#host.arch.pointerSize);
    const event = new KprobeEvent(definition, layout, (probe, enabled) => this.#switch(probe, enabled));
    this.#register(event, definition);
    this.#events.push(event);
    this.#listener.added(event);
  }

  /** Another probe for an event that is there. */
  #append(definition: EventDefinition, event: KprobeEvent): void {
    const { words } = definition;
    if (definition.isReturn !== event.isReturn) throw refuse(words, 'DIFF_PROBE_TYPE', 0);
    const differing = differingArg(definition.args, event.probes[0].definition.args);
    if (differing !== null) throw refuse(words, 'DIFF_ARG_TYPE', 2 + differing);
    if (event.probes.some((other) => sameProbe(other.definition, definition))) throw refuse(words, 'SAME_PROBE', 0);
    this.#register(event, definition);
  }

  #register(event: KprobeEvent, definition: EventDefinition): void {
    try {
      const { offsets } = event.layout;
      const stores = definition.args.map((arg, i) => compileStore(arg, offsets[i], this.#machine));
      const probe: EventProbe = { definition, stores, probe: this.#place(event, definition, stores) };
      event.add(probe);
      this.#probes.push({ event, probe });
    } catch (error) {
      throw registrationError(error, definition.words);
    }
  }

  /** Null where the place may come to be: a module's symbol, or an address without one. */
  #place(event: KprobeEvent, definition: EventDefinition, stores: readonly FetchStore[]): EventProbe['probe'] {
    const { place } = definition;
    if (place.kind === 'address' && place.address === 0n) {
      throw new BpfError('EINVAL', 'placing a probe', { value: 0, remedy: 'nothing can be probed at address 0' });
    }
    const isMissing =
      place.kind === 'address'
        ? this.#host.symbols.at(place.address) === undefined
        : place.module !== null && this.#moduleSymbol(place.module, place.symbol) === undefined;
    return isMissing ? null : this.#registerAt(event, definition, stores);
  }

  #registerAt(event: KprobeEvent, definition: EventDefinition, stores: readonly FetchStore[]): EventProbe['probe'] {
    const where = { ...this.#where(definition), disabled: !event.enabled };
    if (definition.isReturn) {
      const place = this.#kprobes.resolve(where);
      const [lo, hi] = [lo32(place.addr), hi32(place.addr)];
      return this.#kretprobes.register({
        ...where,
        maxactive: definition.maxactive,
        handler: (_instance, regs, cpu) => event.hit(stores, lo, hi, regs, cpu),
      });
    }
    const place = this.#kprobes.resolve(where);
    const [lo, hi] = [lo32(place.addr), hi32(place.addr)];
    return this.#kprobes.register({
      ...where,
      readsOnly: true,
      preHandler: (_probe, regs, cpu) => (event.hit(stores, lo, hi, regs, cpu), 0),
    });
  }

  #where({ place }: EventDefinition): { addr: bigint; offset?: number } | { symbolName: string; offset: number } {
    if (place.kind === 'address') return { addr: place.address };
    const { module, symbol, offset } = place;
    if (module === null) return { symbolName: symbol, offset };
    return { addr: this.#moduleSymbol(module, symbol) as bigint, offset };
  }

  #moduleSymbol(module: string, name: string): bigint | undefined {
    return this.#host.symbols.lookupAll(name).find((symbol) => symbol.module === module)?.address;
  }

  #switch({ probe }: EventProbe, enabled: boolean): void {
    // Of a machine that has been closed the probes are gone.
    if (probe?.registered !== true) return;
    if ('entry' in probe) {
      if (enabled) this.#kretprobes.enable(probe);
      else this.#kretprobes.disable(probe);
    } else if (enabled) this.#kprobes.enable(probe);
    else this.#kprobes.disable(probe);
  }

  /** `-:[GRP/]EVENT [PLACE [ARGS]]`: all probes that match. */
  #remove(words: readonly string[]): void {
    const [first, ...command] = words;
    if (first[1] !== ':') throw new ProbeEventError('EINVAL', words, null, { hint: REMOVAL });
    const slash = first.indexOf('/');
    const group = slash < 0 ? null : first.slice(2, slash);
    const name = first.slice(slash < 0 ? 2 : slash + 1);
    if (group === null && name === '') throw new ProbeEventError('EINVAL', words, null, { hint: REMOVAL });
    const found = this.#probes.filter(
      ({ event, probe }) =>
        (name === '' || event.name === name) &&
        (group === null || event.group === group) &&
        matchesCommand(probe.definition, command),
    );
    if (found.length === 0) throw new ProbeEventError('ENOENT', words, null, { hint: 'there is no such event' });
    for (const { event, probe } of found) {
      if (event.probes.length === 1) this.#checkIdle(event, words);
      this.#removeProbe(event, probe);
    }
  }

  #checkIdle(event: KprobeEvent, words: readonly string[]): void {
    if (!event.enabled) return;
    throw new ProbeEventError('EBUSY', words, null, {
      cause: new BpfError('EBUSY', `removing ${event.group}/${event.name}`, { remedy: 'turn it off first' }),
    });
  }

  #removeProbe(event: KprobeEvent, probe: EventProbe): void {
    if (event.probes.length === 1) {
      this.#listener.removing(event);
      this.#events.splice(this.#events.indexOf(event), 1);
    }
    if (probe.probe !== null && 'entry' in probe.probe) this.#kretprobes.unregister(probe.probe);
    else if (probe.probe !== null) this.#kprobes.unregister(probe.probe);
    event.remove(probe);
    this.#probes.splice(
      this.#probes.findIndex((other) => other.probe === probe),
      1,
    );
  }

  /** The address of `SYMBOL[+-OFFSET]` in an argument. */
  #symbol(text: string): bigint {
    const { symbol, offset } = splitOffset(text);
    if (offset === null) {
      throw new BpfError('EINVAL', `looking for ${text}`, { value: text, remedy: 'its offset is no number' });
    }
    const found = this.#host.symbols.lookup(symbol);
    if (found !== undefined) return BigInt.asUintN(64, found.address + offset);
    throw new BpfError('ENOENT', `looking for ${symbol}`, { value: symbol, remedy: 'there is no such symbol' });
  }
}

function definitionText(event: KprobeEvent, { definition, probe }: EventProbe): string {
  const { isReturn, maxactive, place, args } = definition;
  const active = probe !== null && 'entry' in probe ? probe.maxactive : maxactive;
  const head = `${isReturn ? `r${active}` : 'p'}:${event.group}/${event.name} ${placeText(place)}`;
  return [head, ...args.map(({ name, text }) => `${name}=${text}`)].join(' ');
}

function refuse(words: readonly string[], name: ProbeEventErrorName, word: number): ProbeEventError {
  return new ProbeEventError('EEXIST', words, { name, word, offset: 0 });
}

function pad(count: number): string {
  return String(count).padStart(15);
}
