import { classifyArm64, insnWord, type Arm64InsnClass } from './insn-class.js';

/** How far back a load-exclusive is looked for, in bytes (MAX_ATOMIC_CONTEXT_SIZE). */
export const MAX_ATOMIC_CONTEXT = 128;

/**
 * Why instructions that neither a simulation nor a slot can stand for are refused, always with EINVAL. Linux refuses the
 * same (aarch64_insn_is_steppable() of arch/arm64/kernel/probes/decode-insn.c), but for the last five: those it runs from
 * a slot, where they do something else or trap.
 */
const REFUSED: Partial<Record<Arm64InsnClass, string>> = {
  breakpoint: 'a breakpoint that kscope did not place stands here',
  exception: 'the instruction raises an exception, whose return address would be in the slot',
  'exception-return': 'the instruction returns from an exception, from within the probe',
  'branch-authenticated': 'the branch authenticates its target with a key that a trap does not show',
  hint: 'the hint may wait, trap or authenticate a pointer: only nop, bti, pac and xpaclri can be moved',
  'msr-immediate': 'msr changes the state of the processor, which the trap changes too',
  msr: 'msr changes the state of the processor, which the trap changes too',
  'mrs-daif': 'mrs would read the interrupt masks of the probe instead of its own',
  'prefetch-literal': 'the literal is out of reach from a slot, and prefetches are not simulated',
  'load-exclusive': 'the trap would lose the exclusive monitor, and the loop around it never end',
  'store-exclusive': 'the trap would lose the exclusive monitor, and the loop around it never end',
  'memory-copy': 'the instructions of a memory copy or set must stand together',
  'load-literal-simd': 'the literal is out of reach from a slot, and the SIMD registers are not in a trap frame',
  'sign-pc': 'the signature depends on the address of the instruction',
  'branch-or-system': 'this encoding among branches and system instructions is not known',
  undefined: 'the bytes here are no instruction',
};

/** Why the instruction `word` is refused whatever stands around it, or null. */
export function refusalOfArm64(word: number): string | null {
  return REFUSED[classifyArm64(word)] ?? null;
}

/**
 * Whether an exclusive sequence is open behind `before`: the nearest exclusive access there is a load
 * (is_probed_address_atomic()). As Linux does since 6.15, ldar and stlr do not count.
 */
export function inExclusiveSequence(before: Uint8Array): boolean {
  const nearest = Math.max(0, before.length - MAX_ATOMIC_CONTEXT);
  for (let at = before.length - 4; at >= nearest; at -= 4) {
    const cls = classifyArm64(insnWord(before, at));
    if (cls === 'store-exclusive') return false;
    if (cls === 'load-exclusive') return true;
  }
  return false;
}
