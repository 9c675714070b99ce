/**
 * The thirteen kinds of CO-RE relocation (enum bpf_core_relo_kind of include/uapi/linux/bpf.h), in the order
 * of their numbers.
 */
export const coreReloKinds = [
  'field_byte_offset',
  'field_byte_size',
  'field_exists',
  'field_signed',
  'field_lshift_u64',
  'field_rshift_u64',
  'type_id_local',
  'type_id_target',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const;

export type CoreReloKind = (typeof coreReloKinds)[number];

/** One record of the CO-RE part of .BTF.ext (struct bpf_core_relo). */
export interface CoreRelocation {
  /** Byte offset of the instruction in its section. */
  readonly insnOffset: number;
  /** Root type in the object's BTF. */
  readonly typeId: number;
  /** Colon-separated member and element indices, an enumerator's index, or `0` for type relocations. */
  readonly access: string;
  readonly kind: CoreReloKind;
}

export type CoreReloTarget = 'field' | 'type' | 'enumval';

/** Whether a kind asks about a field, a type or an enumerator. */
export function coreReloTarget(kind: CoreReloKind): CoreReloTarget {
  return kind.slice(0, kind.indexOf('_')) as CoreReloTarget;
}
