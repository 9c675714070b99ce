import { roundUp } from '../base/index.js';
import type { TraceEventDescriptor, TraceField, TracepointDescriptor } from '../host/index.js';
import { ArgumentWords } from './argument-words.js';
import { COMMON_HEADER_SIZE } from './event-record.js';
import { fieldWriter } from './record-writer.js';
import type { TracepointMember } from './tracepoint-set.js';

/** What an argument of a defined tracepoint is: C integers, or the address of a NUL-terminated string. */
export type TracepointArgType = 'u8' | 'u16' | 'u32' | 'u64' | 's8' | 's16' | 's32' | 's64' | 'string';

/** 64-bit integers and addresses are `bigint`, the others numbers. */
export type TracepointValue<T extends TracepointArgType> = T extends 'u64' | 's64' | 'string' ? bigint : number;

export type TracepointArgs = Readonly<Record<string, TracepointArgType>>;
export type TracepointValues<A extends TracepointArgs> = { readonly [K in keyof A]: TracepointValue<A[K]> };

export interface TracepointDefinition<A extends TracepointArgs> {
  readonly system: string;
  readonly name: string;
  /** The arguments in the order of the prototype; each becomes a field of the record. */
  readonly args: A;
}

interface ArgKind {
  readonly cType: string;
  readonly fieldType: string;
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  readonly conversion: string;
}

const KINDS: Readonly<Record<TracepointArgType, ArgKind>> = {
  u8: { cType: 'u8', fieldType: 'u8', size: 1, signed: false, conversion: '%u' },
  u16: { cType: 'u16', fieldType: 'u16', size: 2, signed: false, conversion: '%u' },
  u32: { cType: 'u32', fieldType: 'u32', size: 4, signed: false, conversion: '%u' },
  u64: { cType: 'u64', fieldType: 'u64', size: 8, signed: false, conversion: '%llu' },
  s8: { cType: 's8', fieldType: 's8', size: 1, signed: true, conversion: '%d' },
  s16: { cType: 's16', fieldType: 's16', size: 2, signed: true, conversion: '%d' },
  s32: { cType: 's32', fieldType: 's32', size: 4, signed: true, conversion: '%d' },
  s64: { cType: 's64', fieldType: 's64', size: 8, signed: true, conversion: '%lld' },
  string: { cType: 'const char *', fieldType: '__data_loc char[]', size: 4, signed: false, conversion: '%s' },
};

/**
 * A tracepoint that a host written in TypeScript offers. Test `enabled` before the arguments are built, so that it
 * costs one flag test while nobody listens:
 *
 *     if (vfsOpen.enabled) vfsOpen.emit(cpu, { path, flags: 0 });
 */
export class DefinedTracepoint<A extends TracepointArgs = TracepointArgs> implements TracepointMember {
  enabled = false;
  readonly descriptor: TracepointDescriptor;
  readonly #names: readonly string[];
  deliver: TracepointMember['deliver'] = null;
  readonly #args: ArgumentWords;
  #emitting = false;

  constructor(definition: TracepointDefinition<A>) {
    this.#names = Object.keys(definition.args);
    this.#args = new ArgumentWords(this.#names);
    this.descriptor = {
      name: definition.name,
      args: this.#names.map((name) => ({ name, type: KINDS[definition.args[name]].cType })),
      writableSize: 0,
      events: [describeEvent(definition)],
    };
  }

  /** A hit on `cpu`. Nothing happens while the tracepoint is off. */
  emit(cpu: number, values: TracepointValues<A>): void {
    const { deliver } = this;
    if (!this.enabled || deliver === null) return;
    // A listener may make the tracepoint be hit again; the arguments of the outer hit must survive that.
    const nested = this.#emitting;
    const args = nested ? new ArgumentWords(this.#names) : this.#args;
    args.fill(values);
    this.#emitting = true;
    try {
      deliver(args.words, cpu);
    } finally {
      this.#emitting = nested;
    }
  }
}

/** Defines a tracepoint with one trace event of the same name, whose record holds the arguments. */
export function defineTracepoint<const A extends TracepointArgs>(
  definition: TracepointDefinition<A>,
): DefinedTracepoint<A> {
  return new DefinedTracepoint(definition);
}

function describeEvent<A extends TracepointArgs>({
  system,
  name,
  args,
}: TracepointDefinition<A>): TraceEventDescriptor {
  const { fields, size } = layOut(args);
  const types = Object.values(args);
  const shown = fields.map((field) => `${field.name}=${KINDS[args[field.name]].conversion}`);
  const values = fields.map((field, i) => (types[i] === 'string' ? `__get_str(${field.name})` : `REC->${field.name}`));
  return {
    system,
    name,
    fields,
    size,
    printFmt: [`"${shown.join(' ')}"`, ...values].join(', '),
    assign: fieldWriter(fields.map((field, i) => ({ ...field, isString: types[i] === 'string' }))),
  };
}

/** Fields as a C compiler lays out the struct behind the common header. */
function layOut(args: TracepointArgs): { fields: TraceField[]; size: number } {
  const fields: TraceField[] = [];
  let offset = COMMON_HEADER_SIZE;
  let widest = 4;
  for (const [name, type] of Object.entries(args)) {
    const { fieldType, size, signed } = KINDS[type];
    offset = roundUp(offset, size);
    fields.push({ name, type: fieldType, arrayLength: 0, offset, size, signed });
    offset += size;
    widest = Math.max(widest, size);
  }
  return { fields, size: roundUp(offset, widest) };
}
