import { BpfError, type ErrnoName } from '../base/index.js';
import { type BtfType, type BtfValue, encodeValue } from '../btf/index.js';
import type { CollectionSpec } from './collection-spec.js';
import type { ExternSpec } from './externs.js';
import { type KconfigEntry, parseKconfig } from './kconfig-text.js';
import { type KconfigType, kconfigTypeOf } from './kconfig-type.js';

/**
 * Values of __kconfig externs by name: `y`, `m` and `n`, numbers, or strings, as a kernel's .config gives them.
 */
export type KconfigValues = Readonly<Record<string, BtfValue>>;

export interface KconfigSources {
  /** Values set one by one, which count first. */
  readonly values: KconfigValues;
  /** Texts of configurations; the first that has a value counts. */
  readonly texts: readonly string[];
}

/** Enumerators of enum libbpf_tristate. */
const TRISTATE: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };

/**
 * The bytes of the .kconfig map. Strong externs without a value are an ESRCH `BpfError`, values that do not fit their extern's
 * type EINVAL or ERANGE ones; weak externs without a value are 0.
 */
export function kconfigContents(spec: CollectionSpec, { values, texts }: KconfigSources): Uint8Array {
  const { btf, code } = spec;
  const contents = new Uint8Array(code.externs.kconfigSize);
  const externs = code.externs.all.filter((each) => each.kind === 'kconfig');
  if (btf === null || externs.length === 0) return contents;
  const names = new Set(externs.map(({ name }) => name));
  const entries = texts.map((text) => parseKconfig(text, (name) => names.has(name)));
  for (const extern of externs) {
    const bytes = contents.subarray(extern.offset, extern.offset + extern.size);
    const given = Object.hasOwn(values, extern.name) ? values[extern.name] : undefined;
    const entry = entries.find((each) => each.has(extern.name))?.get(extern.name);
    if (given !== undefined) storeGiven(spec, extern, given, bytes);
    else if (entry !== undefined) storeEntry(extern, kconfigTypeOf(btf, extern.typeId), entry, bytes, btf.littleEndian);
    else checkAbsent(extern);
  }
  return contents;
}

function storeGiven(spec: CollectionSpec, extern: ExternSpec, value: BtfValue, bytes: Uint8Array): void {
  const { btf } = spec;
  if (btf === null) return;
  const type = btf.resolve(extern.typeId);
  try {
    encodeValue(btf, extern.typeId, asTyped(type, value), bytes);
  } catch (error) {
    if (error instanceof BpfError) throw error;
    throw new BpfError('EINVAL', `kernel configuration value ${extern.name} does not fit its extern`, {
      section: '.kconfig',
      value: typeof value === 'object' ? 'an object' : String(value),
      remedy: error instanceof Error ? error.message : 'give a value of its type',
    });
  }
}

function asTyped(type: BtfType, value: BtfValue): BtfValue {
  if (typeof value === 'boolean') return asTyped(type, value ? 'y' : 'n');
  if (typeof value !== 'string') return value;
  if (type.kind === 'enum' || type.kind === 'enum64') return TRISTATE[value] ?? value;
  if (type.kind !== 'int') return value;
  if (type.bool) return value === 'y';
  return type.size === 1 ? value.charCodeAt(0) : value;
}

/** What each kind of value in a configuration may be stored in. */
const FITTING: Readonly<Record<KconfigEntry['kind'], readonly KconfigType['kind'][]>> = {
  letter: ['bool', 'tristate', 'char'],
  text: ['text'],
  number: ['int', 'char'],
};

function storeEntry(
  extern: ExternSpec,
  type: KconfigType,
  entry: KconfigEntry,
  bytes: Uint8Array,
  littleEndian: boolean,
): void {
  const isTristate = entry.kind === 'letter' && entry.value === 'm';
  if (!FITTING[entry.kind].includes(type.kind) || (isTristate && type.kind === 'bool'))
    throw unfit('EINVAL', extern, entry, `its extern is of the kind ${type.kind}`);
  if (entry.kind === 'text') storeText(entry.value, bytes);
  else storeNumber(extern, type, entry, bytes, littleEndian);
}

/** What does not fit is cut, as libbpf does; the last byte is NUL. */
function storeText(text: string, bytes: Uint8Array): void {
  bytes.fill(0);
  bytes.set(new TextEncoder().encode(text).subarray(0, bytes.length - 1));
}

function storeNumber(
  extern: ExternSpec,
  type: KconfigType,
  entry: Exclude<KconfigEntry, { kind: 'text' }>,
  bytes: Uint8Array,
  littleEndian: boolean,
): void {
  const number = entry.kind === 'number' ? entry.value : letterNumber(type, entry.value);
  const bits = 8 * bytes.length;
  const signed = BigInt.asIntN(64, number);
  const inRange = type.signed
    ? signed >= -(1n << BigInt(bits - 1)) && signed < 1n << BigInt(bits - 1)
    : number >> BigInt(bits) === 0n;
  if (entry.kind === 'number' && !inRange && bits < 64)
    throw unfit('ERANGE', extern, entry, `its extern has ${bytes.length} bytes`);
  bytes.forEach((_, i) => {
    const shift = BigInt(8 * (littleEndian ? i : bytes.length - 1 - i));
    bytes[i] = Number((number >> shift) & 0xffn);
  });
}

function letterNumber(type: KconfigType, letter: 'y' | 'n' | 'm'): bigint {
  if (type.kind === 'char') return BigInt(letter.charCodeAt(0));
  return TRISTATE[letter];
}

function unfit(code: ErrnoName, { name }: ExternSpec, { value }: KconfigEntry, why: string): BpfError {
  return new BpfError(code, `kernel configuration value ${name} does not fit its extern`, {
    section: '.kconfig',
    value: typeof value === 'string' && value.length > 80 ? `${value.slice(0, 80)}…` : value,
    remedy: `${why}; declare it as the configuration has it`,
  });
}

/** Weak ones may be absent, if they have the name of a configuration value. */
function checkAbsent(extern: ExternSpec): void {
  const { name, weak } = extern;
  if (!name.startsWith('CONFIG_') && !(weak && name.startsWith('LINUX_'))) {
    throw new BpfError('EINVAL', `kernel configuration value ${name} is none`, {
      section: '.kconfig',
      value: name,
      remedy: 'names begin with CONFIG_; of others libbpf knows LINUX_KERNEL_VERSION and a few LINUX_HAS_ ones',
    });
  }
  if (!weak) throw missing(extern);
}

function missing(extern: ExternSpec): BpfError {
  return new BpfError('ESRCH', `kernel configuration value ${extern.name} is not known`, {
    section: '.kconfig',
    value: extern.name,
    remedy: 'give its value when loading, or declare it __weak',
  });
}
