import fc from 'fast-check';
import { BpfProgType } from '../../../../src/base/index.js';
import { kinds, type WorldSeed } from './world.js';

const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** Seeds of worlds; they shrink by dropping statements. */
export const worldSeeds: fc.Arbitrary<WorldSeed> = fc.record({
  main: fc.record({
    type: fc.constantFrom(
      BpfProgType.BPF_PROG_TYPE_XDP,
      BpfProgType.BPF_PROG_TYPE_XDP,
      BpfProgType.BPF_PROG_TYPE_SCHED_CLS,
      BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
    ),
    data: word,
    main: fc.array(word, { minLength: 1, maxLength: 40, size: 'max' }),
    subprograms: fc.array(fc.array(word, { minLength: 1, maxLength: 8, size: 'max' }), { maxLength: 2 }),
  }),
  target: fc.record({
    type: fc.constant(0),
    data: word,
    main: fc.array(word, { minLength: 1, maxLength: 8, size: 'max' }),
    subprograms: fc.constant([]),
  }),
  subjects: fc.tuple(fc.nat(kinds.length - 1), fc.nat(kinds.length - 1)),
});
