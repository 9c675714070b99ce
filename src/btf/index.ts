export { type BtfExt, type BtfExtSection, type BtfFuncInfo, type BtfLineInfo, parseBtfExt } from './btf-ext.js';
export { Btf } from './btf.js';
export { BtfCatalog, type BtfFound } from './btf-catalog.js';
export { BtfBuilder, type BtfBuilderOptions } from './build/btf-builder.js';
export type { NewBtfType } from './build/type-encoder.js';
export { printBtfAsC, type PrintCOptions } from './c/print-c.js';
export { type CoreRelocation, type CoreReloKind, coreReloKinds } from './core/core-relocation.js';
export { type CoreResolution, CoreResolver } from './core/core-resolver.js';
export type { CoreValue } from './core/core-value.js';
export { CORE_POISON_IMM, type CoreInsn, patchCoreInsn } from './core/patch.js';
export { typesAreCompatible } from './core/type-compatibility.js';
export { type BtfDedupOptions, type BtfDedupResult, deduplicateBtf } from './dedup/deduplicate.js';
export { type BtfMergeResult, mergeBtf } from './dedup/merge.js';
export { describeBtf, type DescribeBtfOptions } from './describe/describe-btf.js';
export {
  type BtfAnyDescription,
  type BtfBits,
  type BtfDescription,
  type BtfFields,
  type BtfShape,
  btfType,
  type BtfValueOf,
} from './describe/descriptions.js';
export { printBtfAsDts, type PrintDtsOptions } from './dts/print-dts.js';
export type { BtfFixedArray, BtfLayout, BtfPointer } from './dts/value-types.js';
export { encodeBtf } from './encode.js';
export { essentialName } from './essential-name.js';
export { type BtfKind, BtfKindNumber } from './kinds.js';
export type { BtfMemberLocation } from './member-path.js';
export { parseBtf } from './parse.js';
export { type ReadValue, showBtf, type ShowBtfOptions, type ShownBtf } from './show/show-btf.js';
export { TypedBtf } from './typed-btf.js';
export type {
  BtfAlias,
  BtfArray,
  BtfComposite,
  BtfDatasec,
  BtfDeclTag,
  BtfEnum,
  BtfEnumerator,
  BtfFloat,
  BtfFunc,
  BtfFuncProto,
  BtfFwd,
  BtfInt,
  BtfLinkage,
  BtfMember,
  BtfParam,
  BtfPtr,
  BtfSectionVar,
  BtfType,
  BtfTypeByKind,
  BtfVar,
  BtfVoid,
} from './types.js';
export { type BtfValue, decodeMember, decodeValue, isCharacter } from './value-decoder.js';
export { encodeValue } from './value-encoder.js';
