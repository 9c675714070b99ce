import type { BpfMap } from '../../map/bpf-map.js';

/**
 * What somebody has proved of a program: a verifier, beyond what `ValueFlow` finds. Compiled code leaves
 * out the checks that a fact makes needless, so a wrong fact is a wrong program. Instructions go by their slot.
 */
export interface ProgramFacts {
  /** Whether each run of this load, store or atomic finds its bytes inside memory it may use. */
  isProved(slot: number): boolean;
  /** The one map that r1 points to whenever this helper call is made. */
  mapAt(slot: number): BpfMap | undefined;
  /** How often at most the loop that is entered at this slot goes round each time. */
  loopBound(slot: number): number | undefined;
}
