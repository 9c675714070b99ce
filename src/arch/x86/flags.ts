/** Bits of rflags that probing looks at. */
export const X86Flag = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
} as const;

/** The six flags that arithmetic sets. */
export const STATUS_FLAGS = X86Flag.CF | X86Flag.PF | X86Flag.AF | X86Flag.ZF | X86Flag.SF | X86Flag.OF;

/** The sixteen conditions, in the order of their opcodes; an odd code negates the one before it. */
export function conditionHolds(code: number, bits: number): boolean {
  const holds = positiveCondition(code >> 1, bits);
  return (code & 1) === 0 ? holds : !holds;
}

function positiveCondition(pair: number, bits: number): boolean {
  const less = ((bits & X86Flag.SF) !== 0) !== ((bits & X86Flag.OF) !== 0);
  switch (pair) {
    case 0:
      return (bits & X86Flag.OF) !== 0;
    case 1:
      return (bits & X86Flag.CF) !== 0;
    case 2:
      return (bits & X86Flag.ZF) !== 0;
    case 3:
      return (bits & (X86Flag.CF | X86Flag.ZF)) !== 0;
    case 4:
      return (bits & X86Flag.SF) !== 0;
    case 5:
      return (bits & X86Flag.PF) !== 0;
    case 6:
      return less;
    default:
      return less || (bits & X86Flag.ZF) !== 0;
  }
}
