import { BpfMapFlag, BpfMapType } from '../../../../src/base/index.js';
import type { MapSpec } from '../../../../src/runtime/index.js';
import { MapArea } from './layout.js';
import type { GeneratedProgram, ProgramSeed } from './program-generator.js';
import { generate } from './program-generator.js';
import type { Subject } from './world-operands.js';
import { PROG_ARRAY_SIZE, worldPart } from './world-statement.js';

/** What a world of maps and programs is generated from. */
export interface WorldSeed {
  readonly main: ProgramSeed;
  /** Reached by tail calls. */
  readonly target: ProgramSeed;
  /** Kinds of the maps that programs work on. */
  readonly subjects: readonly number[];
}

/** Where maps stand in the programs' list. */
export const WorldMaps = { values: 0, ring: 1, programs: 2, subjects: 3 } as const;

export const WORLD_RING_SIZE = 4096;

export type WorldProgram = Pick<GeneratedProgram, 'type' | 'insns' | 'functions' | 'value' | 'packet'>;

/** Two programs and what they run on. */
export interface World {
  readonly main: WorldProgram;
  readonly target: WorldProgram;
  readonly subjects: readonly Subject[];
  /** By `WorldMaps`. */
  readonly maps: readonly MapSpec[];
}

const T = BpfMapType;
const { BPF_F_ZERO_SEED: ZERO_SEED, BPF_F_NO_COMMON_LRU } = BpfMapFlag;

/** Type, size of keys, entries, flags. Hash maps without ZERO_SEED have an order of their own. */
export const kinds: readonly (readonly [type: number, keySize: number, maxEntries: number, flags: number])[] = [
  [T.BPF_MAP_TYPE_ARRAY, 4, 8, 0],
  [T.BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 0],
  [T.BPF_MAP_TYPE_HASH, 4, 8, 0],
  [T.BPF_MAP_TYPE_HASH, 8, 8, 0],
  [T.BPF_MAP_TYPE_HASH, 12, 8, 0],
  [T.BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 0],
  [T.BPF_MAP_TYPE_PERCPU_HASH, 8, 8, 0],
  [T.BPF_MAP_TYPE_LRU_HASH, 4, 7, 0],
  [T.BPF_MAP_TYPE_LRU_HASH, 8, 7, 0],
  [T.BPF_MAP_TYPE_HASH, 4, 8, ZERO_SEED],
  [T.BPF_MAP_TYPE_HASH, 8, 16, ZERO_SEED],
  [T.BPF_MAP_TYPE_HASH, 12, 8, ZERO_SEED],
  [T.BPF_MAP_TYPE_PERCPU_HASH, 4, 8, ZERO_SEED],
  [T.BPF_MAP_TYPE_LRU_HASH, 4, 7, ZERO_SEED],
  [T.BPF_MAP_TYPE_LRU_HASH, 4, 4, ZERO_SEED | BPF_F_NO_COMMON_LRU],
];

function spec(name: string, type: number, keySize: number, maxEntries: number, flags: number): MapSpec {
  return { name, type, keySize, valueSize: 8, maxEntries, flags, keyTypeId: 0, valueTypeId: 0 };
}

function subjectOf(kind: number, position: number): Subject {
  const [type, keySize, maxEntries, flags] = kinds[kind];
  const isArray = type === T.BPF_MAP_TYPE_ARRAY || type === T.BPF_MAP_TYPE_PERCPU_ARRAY;
  return {
    spec: spec(`subject${position}`, type, keySize, maxEntries, flags),
    map: WorldMaps.subjects + position,
    isOrdered: isArray || (flags & ZERO_SEED) !== 0,
  };
}

/** Programs and maps that a seed stands for. */
export function worldOf({ main, target, subjects: kindsOfSubjects }: WorldSeed): World {
  const subjects = kindsOfSubjects.map(subjectOf);
  const part = { subjects, ring: WorldMaps.ring, programs: WorldMaps.programs };
  return {
    main: generate(main, WorldMaps.values, worldPart(part, true)),
    target: generate({ ...target, type: main.type }, WorldMaps.values, worldPart(part, false)),
    subjects,
    maps: [
      { ...spec('values', T.BPF_MAP_TYPE_ARRAY, 4, 1, 0), valueSize: MapArea.size },
      { ...spec('ring', T.BPF_MAP_TYPE_RINGBUF, 0, WORLD_RING_SIZE, 0), valueSize: 0 },
      { ...spec('programs', T.BPF_MAP_TYPE_PROG_ARRAY, 4, PROG_ARRAY_SIZE, 0), valueSize: 4 },
      ...subjects.map((subject) => subject.spec),
    ],
  };
}
