import fc from 'fast-check';
import { BpfProgType } from '../../../../src/base/index.js';
import type { ProgramSeed } from './program-generator.js';

const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** Seeds of generated programs. They shrink by dropping statements. */
export const programSeeds: fc.Arbitrary<ProgramSeed> = fc.record({
  type: fc.oneof(
    { weight: 3, arbitrary: fc.constant(BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER) },
    { weight: 1, arbitrary: fc.constant(BpfProgType.BPF_PROG_TYPE_SCHED_CLS) },
    { weight: 1, arbitrary: fc.constant(BpfProgType.BPF_PROG_TYPE_XDP) },
  ),
  data: word,
  main: fc.array(word, { minLength: 60, maxLength: 120, size: 'max' }),
  subprograms: fc.array(fc.array(word, { minLength: 1, maxLength: 12, size: 'max' }), { maxLength: 3 }),
});
