export { Btf } from './btf.js';
export { type BtfKind, BtfKindNumber } from './kinds.js';
export type { BtfMemberLocation } from './member-path.js';
export { parseBtf } from './parse.js';
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
