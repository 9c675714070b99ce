/** Exception vectors the processor raises by itself. */
export const Vector = { DE: 0, DB: 1, BP: 3, UD: 6, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14 } as const;

/** Vectors that push an error code. */
const WITH_ERROR = 0x27d00;

/**
 * An exception on its way to the IDT. Instruction bodies throw the CPU's one instance, the run loop catches
 * it: nothing else is ever thrown through the loop, and it never leaves the processor.
 */
export class CpuFault {
  vector = 0;
  error = 0;
  /** int3 and int n: the saved rip is past the instruction and the gate's DPL is checked. */
  software = false;
  addressLo = 0;
  addressHi = 0;

  raise(vector: number, error = 0): never {
    this.vector = vector;
    this.error = error;
    this.software = false;
    throw this;
  }

  raiseSoftware(vector: number): never {
    this.vector = vector;
    this.error = 0;
    this.software = true;
    throw this;
  }

  raisePageFault(lo: number, hi: number, error: number): never {
    this.addressLo = lo;
    this.addressHi = hi;
    return this.raise(Vector.PF, error);
  }
}

export function pushesError(vector: number): boolean {
  return vector < 32 && ((WITH_ERROR >>> vector) & 1) !== 0;
}
