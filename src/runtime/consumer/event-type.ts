import { BpfError } from '../../base/index.js';
import { type Btf, type BtfComposite, type BtfType, type BtfValue, decodeValue } from '../../btf/index.js';
import { compiledEventClass, type EventClass, plainEventClass } from './event-class.js';

/** `event`, `event_t`, `data_t`, `open_event`, `open_event_t`: what programs call the records they emit. */
const EVENT_NAME = /^(?:\w*_)?(?:event|data)(?:_t)?$/;

/** Turns the bytes of one record into a value of the type it was made for. */
export type EventDecoder = (data: Uint8Array) => BtfValue;

/**
 * A decoder for the type of that name in `btf`: a struct (`event` or `struct event`), or a typedef. ENOENT
 * `BpfError` naming the structs there are where it is absent.
 */
export function eventDecoder(btf: Btf, typeName: string): EventDecoder {
  const id = findEventType(btf, typeName);
  return (data) => decodeValue(btf, id, data);
}

/** An event of a type not known when the code that reads it was compiled: see `EventType`. */
export type TypedEvent = { readonly [member: string]: BtfValue };

/**
 * A struct or union of BTF as a class of events. An event has the type's members as accessors, with the values that
 * `decodeValue` gives (64-bit integers are bigints), and costs little more than the members that are read: it keeps
 * a copy of the record's words and puts values together when they are asked for, each time anew.
 *
 * It is no plain object: its members are not its own properties. `toJSON()` gives a plain object of them, which is
 * also what JSON and Node's console show. Events of equal records are deeply equal.
 */
export interface EventType<E extends object = TypedEvent> extends EventClass<E> {
  readonly name: string;
  /** Bytes a record has at least; a shorter one is an EINVAL `BpfError` where it is read. */
  readonly size: number;
}

/**
 * The type of that name in `btf`, as `eventDecoder` finds it. `E` is what the caller knows of it. EINVAL where it is
 * neither a struct nor a union.
 */
export function eventType<E extends object = TypedEvent>(btf: Btf, typeName: string): EventType<E> {
  const type = btf.resolve(findEventType(btf, typeName));
  if (type.kind !== 'struct' && type.kind !== 'union') {
    throw new BpfError('EINVAL', `records of type ${typeName}: it is no struct`, { value: type.kind });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the type looks like only the caller can know
  return { name: typeName, size: type.size, ...(eventClass(btf, type) as EventClass<E>) };
}

/** A class made to measure where code may be made, and otherwise one that behaves the same. */
function eventClass(btf: Btf, type: BtfComposite): EventClass<object> {
  try {
    return compiledEventClass(btf, type);
  } catch (error) {
    if (error instanceof EvalError) return plainEventClass(btf, type);
    throw error;
  }
}

function findEventType(btf: Btf, typeName: string): number {
  const name = typeName.replace(/^(?:struct|union)\s+/, '');
  const id = btf.idsByName(name).find((candidate) => isData(btf.resolve(candidate)));
  if (id !== undefined) return id;
  const events = namedStructs(btf).filter(({ name: other }) => EVENT_NAME.test(other));
  throw new BpfError('ENOENT', `no type ${typeName} in the BTF`, {
    remedy: `structs named like events: ${events.map((type) => type.name).join(', ') || 'none'}`,
  });
}

/**
 * The name of the struct in `btf` that records of `size` bytes most likely are, or undefined. A struct
 * qualifies when its size is the record's (with `padded`, as perf pads raw data: up to 7 bytes less).
 * Those named like an event (`event`, `*_event`, `data_t` ...) are preferred; among them, or among all
 * where none is named so, there must be exactly one. What `kernelTypes` have in them is no event: an object knows
 * structs of the kernel, and one of them may have that size by chance.
 */
export function inferEventType(
  btf: Btf,
  size: number,
  padded = false,
  kernelTypes: Iterable<number> = [],
): string | undefined {
  const least = padded ? size - 7 : size;
  const foreign = typesWithin(btf, kernelTypes);
  const fitting = namedStructs(btf).filter(
    (type) => type.size > 0 && type.size <= size && type.size >= least && !foreign.has(type.id),
  );
  const events = fitting.filter(({ name }) => EVENT_NAME.test(name));
  const candidates = events.length > 0 ? events : fitting;
  return candidates.length === 1 ? candidates[0]?.name : undefined;
}

/** `roots` and what they consist of or point to. */
function typesWithin(btf: Btf, roots: Iterable<number>): Set<number> {
  const found = new Set<number>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    const type = btf.byId(id);
    if (type.kind === 'struct' || type.kind === 'union') open.push(...type.members.map((member) => member.type));
    else if (type.kind === 'array') open.push(type.elementType);
    else if ('type' in type) open.push(type.type);
  }
  return found;
}

function namedStructs(btf: Btf): BtfComposite[] {
  return [...btf].filter((type): type is BtfComposite => type.kind === 'struct' && type.name !== '');
}

/** Whether a type is something that a record can be. */
function isData(type: BtfType): boolean {
  return type.kind !== 'func' && type.kind !== 'func_proto' && type.kind !== 'fwd' && type.kind !== 'void';
}
