/** BTF_KIND_*: numbers of include/uapi/linux/btf.h under the names kscope uses for the kinds. */
export const BtfKindNumber = {
  void: 0,
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
} as const;

export type BtfKind = keyof typeof BtfKindNumber;

/** Kind names by number. */
export const btfKindNames: readonly BtfKind[] = Object.keys(BtfKindNumber) as BtfKind[];
