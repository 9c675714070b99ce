import { BpfError } from '../../base/index.js';
import { type Btf, type BtfComposite, type BtfType, type BtfValue, decodeValue } from '../../btf/index.js';

/** `event`, `event_t`, `data_t`, `open_event`, `open_event_t`: what programs call the records they emit. */
const EVENT_NAME = /^(?:\w*_)?(?:event|data)(?:_t)?$/;

/** Turns the bytes of one record into a value of the type it was made for. */
export type EventDecoder = (data: Uint8Array) => BtfValue;

/**
 * A decoder for the type of that name in `btf`: a struct (`event` or `struct event`), or a typedef. ENOENT
 * `BpfError` naming the structs there are where it is absent.
 */
export function eventDecoder(btf: Btf, typeName: string): EventDecoder {
  const name = typeName.replace(/^(?:struct|union)\s+/, '');
  const id = btf.idsByName(name).find((candidate) => isData(btf.resolve(candidate)));
  if (id === undefined) {
    const events = namedStructs(btf).filter(({ name: other }) => EVENT_NAME.test(other));
    throw new BpfError('ENOENT', `no type ${typeName} in the BTF`, {
      remedy: `structs named like events: ${events.map((type) => type.name).join(', ') || 'none'}`,
    });
  }
  return (data) => decodeValue(btf, id, data);
}

/**
 * The name of the struct in `btf` that records of `size` bytes most likely are, or undefined. A struct
 * qualifies when its size is the record's (with `padded`, as perf pads raw data: up to 7 bytes less).
 * Those named like an event (`event`, `*_event`, `data_t` ...) are preferred; among them, or among all
 * where none is named so, there must be exactly one.
 */
export function inferEventType(btf: Btf, size: number, padded = false): string | undefined {
  const least = padded ? size - 7 : size;
  const fitting = namedStructs(btf).filter((type) => type.size > 0 && type.size <= size && type.size >= least);
  const events = fitting.filter(({ name }) => EVENT_NAME.test(name));
  const candidates = events.length > 0 ? events : fitting;
  return candidates.length === 1 ? candidates[0]?.name : undefined;
}

function namedStructs(btf: Btf): BtfComposite[] {
  return [...btf].filter((type): type is BtfComposite => type.kind === 'struct' && type.name !== '');
}

/** Whether a type is something that a record can be. */
function isData(type: BtfType): boolean {
  return type.kind !== 'func' && type.kind !== 'func_proto' && type.kind !== 'fwd' && type.kind !== 'void';
}
