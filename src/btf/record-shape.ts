import { type BtfKind, btfKindNames } from './kinds.js';

/** Words of a type's common header: name_off, info, size_or_type. */
export const RECORD_HEADER_WORDS = 3;

export const recordKind = (info: number): number => (info >>> 24) & 0x1f;
export const recordCount = (info: number): number => info & 0xffff;
export const recordKindFlag = (info: number): boolean => info >>> 31 === 1;

/** How the record of one kind goes on after its header, and which of its words are type ids and names. */
export interface RecordShape {
  /** The header's third word is a type id. */
  readonly headerType: boolean;
  /** Words after the header, and how many of them, from the first on, are type ids. */
  readonly fixed: number;
  readonly fixedTypes: number;
  /** Words of each of the `recordCount` elements that follow; 0 where there are none. */
  readonly each: number;
  /** Word of an element that is a name or a type id, -1 where none is. */
  readonly eachName: number;
  readonly eachType: number;
}

const PLAIN: RecordShape = { headerType: false, fixed: 0, fixedTypes: 0, each: 0, eachName: -1, eachType: -1 };
const REFERENCE: RecordShape = { ...PLAIN, headerType: true };
const COMPOSITE: RecordShape = { ...PLAIN, each: 3, eachName: 0, eachType: 1 };

const byKind: Readonly<Record<BtfKind, RecordShape | undefined>> = {
  void: undefined,
  int: { ...PLAIN, fixed: 1 },
  ptr: REFERENCE,
  array: { ...PLAIN, fixed: 3, fixedTypes: 2 },
  struct: COMPOSITE,
  union: COMPOSITE,
  enum: { ...PLAIN, each: 2, eachName: 0 },
  fwd: PLAIN,
  typedef: REFERENCE,
  volatile: REFERENCE,
  const: REFERENCE,
  restrict: REFERENCE,
  func: REFERENCE,
  func_proto: { ...REFERENCE, each: 2, eachName: 0, eachType: 1 },
  var: { ...REFERENCE, fixed: 1 },
  datasec: { ...PLAIN, each: 3, eachType: 0 },
  float: PLAIN,
  decl_tag: { ...REFERENCE, fixed: 1 },
  type_tag: REFERENCE,
  enum64: { ...PLAIN, each: 3, eachName: 0 },
};

/** Shapes by kind number; undefined for void, which has no record, and for numbers that are no kind. */
export const recordShapes: readonly (RecordShape | undefined)[] = btfKindNames.map((kind) => byKind[kind]);

/** The shape of a record that `scanTypeRecords` found sound. */
export function shapeOf(info: number): RecordShape {
  return recordShapes[recordKind(info)] ?? PLAIN;
}

/** Where the record at `at` ends. */
export function recordEnd(words: Uint32Array, at: number): number {
  const info = words[at + 1];
  const { fixed, each } = shapeOf(info);
  return at + RECORD_HEADER_WORDS + fixed + each * recordCount(info);
}

/** Calls `visit` with the place of every type id of the record at `at`. */
export function forEachTypeField(words: Uint32Array, at: number, visit: (place: number) => void): void {
  const info = words[at + 1];
  const { headerType, fixed, fixedTypes, each, eachType } = shapeOf(info);
  if (headerType) visit(at + 2);
  const body = at + RECORD_HEADER_WORDS;
  for (let i = 0; i < fixedTypes; i++) visit(body + i);
  if (eachType < 0) return;
  const end = body + fixed + each * recordCount(info);
  for (let place = body + fixed + eachType; place < end; place += each) visit(place);
}

/** Calls `visit` with the place of every string offset of the record at `at`. */
export function forEachNameField(words: Uint32Array, at: number, visit: (place: number) => void): void {
  visit(at);
  const info = words[at + 1];
  const { fixed, each, eachName } = shapeOf(info);
  if (eachName < 0) return;
  const first = at + RECORD_HEADER_WORDS + fixed;
  const end = first + each * recordCount(info);
  for (let place = first + eachName; place < end; place += each) visit(place);
}
