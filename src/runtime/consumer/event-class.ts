import { BpfError, utf8Text } from '../../base/index.js';
import type { Btf, BtfComposite, BtfEnum, BtfValue } from '../../btf/index.js';
import { drainRing, drainSharedRing, type RecordFlow, type RingPlace, type SharedRingCursor } from '../ring/index.js';
import { ringDrainCode } from './drain-code.js';
import { eventCode, type EventTools } from './event-code.js';
import { type EventField, eventFields } from './event-fields.js';
import { renewedDrain, type RingDrain } from './ring-drain.js';

/** Hands events to `deliver` as they come off a ring in shared memory; see `drainSharedRing`. */
type SharedDrain<E> = (ring: SharedRingCursor, flow: RecordFlow, deliver: (event: E) => void, limit: number) => number;

/** What there is per type: how to make its events of bytes, and how to take them from rings. */
export interface EventClass<E> {
  /** An event of the record that `bytes` are. */
  decode(bytes: Uint8Array): E;
  /** An event of the record that a visitor sees. */
  at(words: Int32Array, at: number, length: number, bytes: Uint8Array): E;
  /** Takes events from that ring. */
  drainOf(ring: RingPlace): RingDrain<E>;
  readonly drainShared: SharedDrain<E>;
}

type EventConstructor = new (words: Int32Array, at: number, length: number, bytes: Uint8Array) => object;

let classes = 0;

/** Compiles a class for the records of `type`. Throws EvalError where the page's policy forbids to make code. */
export function compiledEventClass(btf: Btf, type: BtfComposite): EventClass<object> {
  const fields = eventFields(btf, type);
  const tools = toolsFor(type, fields);
  const code = `${eventCode(fields, type.size)}\n//# sourceURL=kscope-event-${classes++}.js`;
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- names from BTF are literals in it
  const make = new Function('tools', code) as (tools: EventTools) => {
    readonly Event: EventConstructor;
    readonly drainShared: SharedDrain<object>;
  };
  const { Event, drainShared } = make(tools);
  finish(Event.prototype, fields);
  return {
    decode(bytes) {
      if (bytes.length < type.size) tools.tooShort(bytes.length);
      const copy = scratchFor(bytes.length);
      copy.bytes.set(bytes);
      return new Event(copy.words, 0, bytes.length, copy.bytes);
    },
    at(words, at, length, bytes) {
      if (length < type.size) tools.tooShort(length);
      return new Event(words, at, length, bytes);
    },
    drainOf: (ring) => renewedDrain(ring, () => compiledDrain(ring, type.size, { Event, tooShort: tools.tooShort })),
    drainShared,
  };
}

function compiledDrain(
  ring: RingPlace,
  size: number,
  own: { readonly Event: EventConstructor; readonly tooShort: (length: number) => never },
): RingDrain<object> {
  const { memory } = ring;
  // V8 shares what it learnt of a function between all of the same source.
  const code = `${ringDrainCode(ring, size)}\n//# sourceURL=kscope-drain-${classes++}.js`;
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- nothing but numbers is put in
  const make = new Function('parts', code) as (parts: object) => RingDrain<object>;
  return make({ ...own, memory, words: memory.i32, bytes: memory.u8 });
}

/** Where bytes of any alignment are seen as words. */
let scratch = { words: new Int32Array(0), bytes: new Uint8Array(0) };

function scratchFor(length: number): typeof scratch {
  if (length > scratch.bytes.length) {
    const words = new Int32Array(Math.max(64, Math.ceil(length / 2)));
    scratch = { words, bytes: new Uint8Array(words.buffer) };
  }
  return scratch;
}

const BYTES = Symbol('bytes');

/** The same without making code: events hold a copy of their record, accessors are closures. */
export function plainEventClass(btf: Btf, type: BtfComposite): EventClass<object> {
  const fields = eventFields(btf, type);
  class Event {
    readonly [BYTES]: Uint8Array;
    constructor(bytes: Uint8Array) {
      this[BYTES] = bytes;
    }
  }
  for (const field of fields) {
    Object.defineProperty(Event.prototype, field.name, {
      configurable: true,
      get(this: Event) {
        return field.decode(this[BYTES]);
      },
    });
  }
  finish(Event.prototype, fields);
  const decode = (bytes: Uint8Array): object => {
    if (bytes.length < type.size) tooShort(type, bytes.length);
    return new Event(bytes.slice());
  };
  const at: EventClass<object>['at'] = (_, word, length, bytes) => decode(bytes.subarray(4 * word, 4 * word + length));
  return {
    decode,
    at,
    drainOf: (ring) => (flow, deliver, limit) => drainRing(ring, flow, (...record) => deliver(at(...record)), limit),
    drainShared: (ring, flow, deliver, limit) =>
      drainSharedRing(ring, flow, (...record) => deliver(at(...record)), limit),
  };
}

/** What both kinds of classes have besides their fields: a plain object of them, for JSON and for Node's console. */
function finish(prototype: object, fields: readonly EventField[]): void {
  function toJSON(this: Record<string, BtfValue>): BtfValue {
    return Object.fromEntries(fields.map(({ name }) => [name, this[name]]));
  }
  const own = new Set(fields.map(({ name }) => name));
  for (const key of ['toJSON', Symbol.for('nodejs.util.inspect.custom')] as const) {
    if (key !== 'toJSON' || !own.has(key)) Object.defineProperty(prototype, key, { value: toJSON });
  }
}

function toolsFor(type: BtfComposite, fields: readonly EventField[]): EventTools {
  const words = new Int32Array(16);
  const { buffer } = words;
  const bytes = new Uint8Array(buffer);
  const names = fields.map(({ shape }) => (shape.kind === 'enum' ? enumerators(shape.type) : undefined));
  return {
    words,
    u64: new BigUint64Array(buffer),
    s64: new BigInt64Array(buffer),
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    text: (start, length) => textOf(bytes.subarray(start, start + length)),
    enumerator: (field, value) => names[field]?.get(value) ?? value,
    decode: (field, record) => fields[field].decode(record),
    tooShort: (length) => tooShort(type, length),
  };
}

/** Names by value: of several with one value the first. Numbers where the type has at most 32 bits. */
function enumerators({ values, size }: BtfEnum): Map<number | bigint, string> {
  return new Map(values.map(({ name, value }) => [size <= 4 ? Number(value) : value, name] as const).toReversed());
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8Text(end < 0 ? bytes : bytes.subarray(0, end));
}

function tooShort({ kind, name, size }: BtfComposite, length: number): never {
  throw new BpfError('EINVAL', `value of ${kind} ${name} is cut short`, {
    section: '.BTF',
    value: length,
    remedy: `it takes ${size} bytes`,
  });
}
