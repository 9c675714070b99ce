import { BpfError } from '../base/index.js';
import { type BtfType, type BtfValue, encodeValue } from '../btf/index.js';
import type { CollectionSpec } from './collection-spec.js';
import type { ExternSpec } from './externs.js';

/**
 * Values of __kconfig externs by name: `y`, `m` and `n`, numbers, or strings, as a kernel's .config gives them.
 */
export type KconfigValues = Readonly<Record<string, BtfValue>>;

/** Enumerators of enum libbpf_tristate. */
const tristate: Readonly<Record<string, string>> = { n: 'TRI_NO', y: 'TRI_YES', m: 'TRI_MODULE' };

/** The bytes of the .kconfig map. Strong externs without a value are an ESRCH `BpfError`; weak ones are 0. */
export function kconfigContents(spec: CollectionSpec, values: KconfigValues): Uint8Array {
  const { btf, code } = spec;
  const contents = new Uint8Array(code.externs.kconfigSize);
  for (const extern of code.externs.all) {
    if (extern.kind !== 'kconfig' || btf === null) continue;
    const value = values[extern.name];
    if (value !== undefined)
      encodeValue(
        btf,
        extern.typeId,
        asTyped(btf.resolve(extern.typeId), value),
        contents.subarray(extern.offset, extern.offset + extern.size),
      );
    else if (!extern.weak) throw missing(extern);
  }
  return contents;
}

function asTyped(type: BtfType, value: BtfValue): BtfValue {
  if (typeof value === 'boolean') return asTyped(type, value ? 'y' : 'n');
  if (typeof value !== 'string') return value;
  if (type.kind === 'enum' || type.kind === 'enum64') return tristate[value] ?? value;
  if (type.kind !== 'int') return value;
  if (type.bool) return value === 'y';
  return type.size === 1 ? value.charCodeAt(0) : value;
}

function missing(extern: ExternSpec): BpfError {
  return new BpfError('ESRCH', `kernel configuration value ${extern.name} is not known`, {
    section: '.kconfig',
    value: extern.name,
    remedy: 'give its value when loading, or declare it __weak',
  });
}
