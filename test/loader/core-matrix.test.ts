import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import type { Btf } from '../../src/btf/index.js';
import {
  type CoreRelocation,
  type CoreReloKind,
  coreReloKinds,
  coreReloTarget,
} from '../../src/btf/core/core-relocation.js';
import { type CoreSpec, parseCoreSpec } from '../../src/btf/core/core-spec.js';
import { describeAccess, describeType } from '../../src/btf/core/describe.js';
import { type CollectionSpec, Linker } from '../../src/loader/index.js';
import { objectFiles, parseObject, readBtf, sourceOf } from './objects.js';

/**
 * What the committed objects cover: every kind of CO-RE relocation in every situation. linked.test.ts shows that
 * each comes out as in libbpf; here no cell may be empty that libbpf can fill.
 */
const situations = ['resolved', 'absent', 'ambiguous', 'bitfield', 'array', 'anonymous', 'flavour'] as const;
type Situation = (typeof situations)[number];

/** Cells that nothing can fill, and why. */
const impossible = new Map<string, string>([
  ['type_id_local absent', 'asks the object alone'],
  ['type_id_local ambiguous', 'asks the object alone'],
  ['type_exists ambiguous', 'candidates that match all answer 1'],
  ['type_matches ambiguous', 'candidates that match all answer 1'],
  ['enumval_exists ambiguous', 'candidates that match all answer 1'],
  ...coreReloKinds
    .filter((kind) => coreReloTarget(kind) !== 'field')
    .map((kind): [string, string] => [`${kind} bitfield`, 'bit-fields are members']),
  ['enumval_exists array', 'enumerators are not in arrays'],
  ['enumval_value array', 'enumerators are not in arrays'],
]);

type Matrix = Map<string, number>;

const count = (matrix: Matrix, kind: CoreReloKind, situation: Situation): void => {
  const cell = `${kind} ${situation}`;
  matrix.set(cell, (matrix.get(cell) ?? 0) + 1);
};

it('covers every kind of relocation in every situation', () => {
  const matrix: Matrix = new Map();
  for (const target of ['linux-min', 'target']) {
    const btf = readBtf(target);
    for (const file of objectFiles.filter((each) => (sourceOf(each) === 'laid_out') === (target === 'target')))
      survey(matrix, parseObject(file), btf);
  }
  console.log(render(matrix));
  const empty = coreReloKinds
    .flatMap((kind) => situations.map((situation) => `${kind} ${situation}`))
    .filter((cell) => !matrix.has(cell));
  expect(empty.filter((cell) => !impossible.has(cell))).toEqual([]);
  expect([...impossible.keys()].filter((cell) => matrix.has(cell))).toEqual([]);
});

function survey(matrix: Matrix, spec: CollectionSpec, target: Btf): void {
  const outcomes = outcomesOf(matrix, spec, target);
  for (const relocation of spec.code.btfExt?.relocations.flatMap(({ records }) => records) ?? []) {
    const outcome = outcomes.get(keyOf(spec.btf as Btf, relocation));
    if (outcome === undefined) continue;
    count(matrix, relocation.kind, outcome);
    for (const shape of shapesOf(parseCoreSpec(spec.btf as Btf, relocation))) count(matrix, relocation.kind, shape);
  }
}

function keyOf(btf: Btf, relocation: CoreRelocation): string {
  const spec = parseCoreSpec(btf, relocation);
  return `${spec.kind} ${describeType(btf, spec.rootTypeId)}${describeAccess(spec)}`;
}

/** How relocations came out, by kind and access. Ambiguous ones are counted at once: they fail their program. */
function outcomesOf(matrix: Matrix, spec: CollectionSpec, target: Btf): Map<string, Situation> {
  const outcomes = new Map<string, Situation>();
  const linker = new Linker(spec, { btf: target });
  for (const program of spec.programs) {
    try {
      for (const { kind, type, access, poisoned, value } of linker.link(program).core) {
        const isAbsent = poisoned || (value === 0n && answersZero(kind));
        outcomes.set(`${kind} ${type}${access}`, isAbsent ? 'absent' : 'resolved');
      }
    } catch (error) {
      const cause = error instanceof BpfError ? error.detail.cause : undefined;
      const match = /^CO-RE relocation (\w+) of .* is ambiguous/.exec(cause instanceof BpfError ? cause.message : '');
      if (match !== null) count(matrix, match[1] as CoreReloKind, 'ambiguous');
    }
  }
  return outcomes;
}

/** Kinds for which 0 means that there is nothing. */
function answersZero(kind: CoreReloKind): boolean {
  return coreReloTarget(kind) === 'type' || kind.endsWith('_exists');
}

function shapesOf(spec: CoreSpec): Situation[] {
  const { btf, accessors, indices } = spec;
  const shapes: Situation[] = [];
  const root = btf.resolve(spec.rootTypeId);
  const last = accessors.at(-1);
  const owner = last?.name === undefined ? undefined : btf.byId(last.typeId);
  if (owner !== undefined && 'members' in owner && owner.members[last?.index ?? 0].bitSize > 0) shapes.push('bitfield');
  if (root.kind === 'array' || accessors.some(({ name, index }, i) => name === undefined && (i > 0 || index > 0)))
    shapes.push('array');
  if (root.name === '' || indices.length > accessors.length) shapes.push('anonymous');
  if (btf.nameOf(spec.rootTypeId).includes('___')) shapes.push('flavour');
  return shapes;
}

function render(matrix: Matrix): string {
  const row = (head: string, cells: readonly string[]): string =>
    head.padEnd(20) + cells.map((cell) => cell.padStart(10)).join('');
  return [
    row('', situations),
    ...coreReloKinds.map((kind) =>
      row(
        kind,
        situations.map((situation) => {
          const cell = `${kind} ${situation}`;
          return impossible.has(cell) ? '-' : String(matrix.get(cell) ?? 0);
        }),
      ),
    ),
  ].join('\n');
}
