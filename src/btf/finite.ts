import { BpfError } from '../base/index.js';
import type { Btf } from './btf.js';

const MAX_DEPTH = 64;
const CHECKING = 1;
const FINITE = 2;

/** What is known of the types of a BTF, by id. */
const known = new WeakMap<Btf, Uint8Array>();

/**
 * Sees to it that a struct or union does not contain itself, by way of members, arrays and typedefs: that is an ELOOP
 * `BpfError`. Each type is looked at once.
 */
export function needFinite(btf: Btf, id: number): void {
  let states = known.get(btf);
  if (states === undefined) {
    states = new Uint8Array(btf.typeCount);
    known.set(btf, states);
  }
  check(btf, id, states, 0);
}

function check(btf: Btf, id: number, states: Uint8Array, depth: number): void {
  if (states[id] === FINITE) return;
  if (states[id] === CHECKING || depth > MAX_DEPTH) {
    states.fill(0);
    throw new BpfError('ELOOP', 'BTF type contains itself', {
      section: '.BTF',
      value: id,
      remedy: 'only a pointer may lead back to a type; the BTF is corrupt',
    });
  }
  const type = btf.byId(id);
  states[id] = CHECKING;
  switch (type.kind) {
    case 'struct':
    case 'union':
      for (const member of type.members) check(btf, member.type, states, depth + 1);
      break;
    case 'array':
      check(btf, type.elementType, states, depth + 1);
      break;
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      check(btf, type.type, states, depth + 1);
      break;
    default:
  }
  states[id] = FINITE;
}
