/** Decoded BTF types. `id` is the type's number in its `Btf`; type 0 is `void`. Anonymous types have the name ''. */
interface Named {
  readonly id: number;
  readonly name: string;
}

export interface BtfVoid extends Named {
  readonly kind: 'void';
}

export interface BtfInt extends Named {
  readonly kind: 'int';
  /** Bytes of storage. */
  readonly size: number;
  /** Bits in use, and where they start: they differ from `8 * size` and 0 only for bit-field integers of old compilers. */
  readonly bits: number;
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}

export interface BtfFloat extends Named {
  readonly kind: 'float';
  readonly size: number;
}

export interface BtfPtr extends Named {
  readonly kind: 'ptr';
  /** What it points to. */
  readonly type: number;
}

/** Kinds that name or qualify another type without changing its layout. */
export interface BtfAlias extends Named {
  readonly kind: 'typedef' | 'volatile' | 'const' | 'restrict' | 'type_tag';
  readonly type: number;
  /** Of a `type_tag`: its name is a whole attribute, not the argument of btf_type_tag (kind flag, since Linux 6.14). */
  readonly attribute?: true;
}

export interface BtfArray extends Named {
  readonly kind: 'array';
  readonly elementType: number;
  readonly indexType: number;
  readonly count: number;
}

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** Width of a bit-field, 0 for any other member. */
  readonly bitSize: number;
}

export interface BtfComposite extends Named {
  readonly kind: 'struct' | 'union';
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export interface BtfEnumerator {
  readonly name: string;
  /** In the enum's own signedness. */
  readonly value: bigint;
}

export interface BtfEnum extends Named {
  readonly kind: 'enum' | 'enum64';
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly BtfEnumerator[];
}

export interface BtfFwd extends Named {
  readonly kind: 'fwd';
  readonly union: boolean;
}

export interface BtfFunc extends Named {
  readonly kind: 'func';
  /** The func_proto. */
  readonly type: number;
  readonly linkage: BtfLinkage;
}

export interface BtfParam {
  readonly name: string;
  /** 0 and no name in the last position: variadic. */
  readonly type: number;
}

export interface BtfFuncProto extends Named {
  readonly kind: 'func_proto';
  readonly returnType: number;
  readonly params: readonly BtfParam[];
}

export interface BtfVar extends Named {
  readonly kind: 'var';
  readonly type: number;
  readonly linkage: BtfLinkage;
}

export interface BtfSectionVar {
  /** Id of the `var` (or `func`, for extern functions). */
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export interface BtfDatasec extends Named {
  readonly kind: 'datasec';
  readonly size: number;
  readonly vars: readonly BtfSectionVar[];
}

export interface BtfDeclTag extends Named {
  readonly kind: 'decl_tag';
  readonly type: number;
  /** Member or parameter the tag belongs to, -1 for the whole type. */
  readonly componentIndex: number;
  /** Its name is a whole attribute, not the argument of btf_decl_tag. */
  readonly attribute?: true;
}

export type BtfLinkage = 'static' | 'global' | 'extern';

/** The decoded form of each kind. */
export interface BtfTypeByKind {
  readonly void: BtfVoid;
  readonly int: BtfInt;
  readonly ptr: BtfPtr;
  readonly array: BtfArray;
  readonly struct: BtfComposite;
  readonly union: BtfComposite;
  readonly enum: BtfEnum;
  readonly fwd: BtfFwd;
  readonly typedef: BtfAlias;
  readonly volatile: BtfAlias;
  readonly const: BtfAlias;
  readonly restrict: BtfAlias;
  readonly func: BtfFunc;
  readonly func_proto: BtfFuncProto;
  readonly var: BtfVar;
  readonly datasec: BtfDatasec;
  readonly float: BtfFloat;
  readonly decl_tag: BtfDeclTag;
  readonly type_tag: BtfAlias;
  readonly enum64: BtfEnum;
}

export type BtfType = BtfTypeByKind[keyof BtfTypeByKind];
