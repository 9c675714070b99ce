import type { Btf, BtfType } from '../btf/index.js';

/** What kind of configuration value a __kconfig extern of some type can hold; `unknown` for other types. */
export interface KconfigType {
  readonly kind: 'bool' | 'tristate' | 'char' | 'int' | 'text' | 'unknown';
  readonly signed: boolean;
}

const UNKNOWN: KconfigType = { kind: 'unknown', signed: false };

/** Follows libbpf's find_kcfg_type(). */
export function kconfigTypeOf(btf: Btf, typeId: number): KconfigType {
  const type = btf.resolve(typeId);
  if (type.kind === 'int') return integerType(type);
  if (type.kind === 'enum')
    return type.size === 4 && type.name === 'libbpf_tristate' ? { kind: 'tristate', signed: false } : UNKNOWN;
  if (type.kind === 'enum64')
    return type.size === 8 && type.name === 'libbpf_tristate' ? { kind: 'tristate', signed: false } : UNKNOWN;
  if (type.kind === 'array' && type.count > 0) {
    const element = btf.resolve(type.elementType);
    if (element.kind === 'int' && integerType(element).kind === 'char') return { kind: 'text', signed: false };
  }
  return UNKNOWN;
}

function integerType({ size, signed, bool }: Extract<BtfType, { kind: 'int' }>): KconfigType {
  if (bool) return size === 1 ? { kind: 'bool', signed } : UNKNOWN;
  if (size === 1) return { kind: 'char', signed };
  return size === 2 || size === 4 || size === 8 ? { kind: 'int', signed } : UNKNOWN;
}
