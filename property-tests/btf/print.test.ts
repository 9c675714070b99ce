import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import {
  type Btf,
  encodeBtf,
  type NewBtfType,
  printBtfAsC,
  printBtfAsDts,
  showBtf,
  TypedBtf,
} from '../../src/btf/index.js';
import { runCli } from '../../src/cli/cli.js';
import { buildBtf, plausibleGraphs, typeGraphs } from '../../test/btf/btf-graph.js';

const runs = Number(process.env['KSCOPE_CASES'] ?? 300);

it.each([
  ['graphs that make no sense', typeGraphs()],
  ['graphs as compilers make them', plausibleGraphs()],
])('%s are printed, read and dumped, or refused by a typed error', async (_what, graphs) => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.uint8Array({ minLength: 64, maxLength: 64 }), async (types, bytes) => {
      const btf = buildBtf(types);
      for (const print of [printBtfAsC, printBtfAsDts]) answered(() => print(btf));
      const read = (at: number, size: number): Uint8Array | null =>
        at + size <= bytes.length ? bytes.subarray(at, at + size) : null;
      for (const { id } of [...btf].slice(0, 5)) answered(() => showBtf(btf, id, read));
      for (const type of btf) if (type.kind === 'struct') answered(() => readAll(btf, type.name, bytes));
      const io = {
        out: () => undefined,
        err: () => undefined,
        readFile: () => encodeBtf(btf),
        writeFile: () => undefined,
        writeBytes: () => undefined,
        readStdin: () => Promise.resolve(''),
        signal: new AbortController().signal,
      };
      expect(await runCli(['btf', 'dump', 'file', 'x'], io)).toBe(0);
    }),
    { numRuns: runs },
  );
});

/** Reads every member once. */
function readAll(btf: Btf, name: string, bytes: Uint8Array): void {
  const types = new TypedBtf<Record<string, object>>(btf);
  const view = types.view(`struct ${name}`, bytes);
  for (const key of Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(view)))) Reflect.get(view, key);
}

it.each<readonly [what: string, chain: (at: number) => NewBtfType]>([
  ['pointers', (at) => ({ kind: 'ptr', type: at + 2 })],
  ['typedefs', (at) => ({ kind: 'typedef', name: `t${at}`, type: at + 2 })],
  ['arrays', (at) => ({ kind: 'array', elementType: at + 2, indexType: at + 2, count: 1 })],
  [
    'structs',
    (at) => ({
      kind: 'struct',
      name: `s${at}`,
      size: 4,
      members: [{ name: 'a', type: at + 2, bitOffset: 0, bitSize: 0 }],
    }),
  ],
  [
    'anonymous structs',
    (at) => ({ kind: 'struct', size: 4, members: [{ name: '', type: at + 2, bitOffset: 0, bitSize: 0 }] }),
  ],
  ['functions', (at) => ({ kind: 'func_proto', returnType: at + 2, params: [{ name: 'a', type: at + 2 }] })],
])('50,000 %s in a row are printed or refused', (_what, chain) => {
  const types = Array.from({ length: 50_000 }, (_, at) => chain(at));
  const btf = buildBtf([...types, { kind: 'float', name: 'float', size: 4 }]);
  for (const print of [printBtfAsC, printBtfAsDts]) answered(() => print(btf, { ids: [1] }));
  const read = (_at: number, size: number): Uint8Array => new Uint8Array(size);
  for (const ask of [() => btf.sizeOf(1), () => btf.alignmentOf(1), () => showBtf(btf, 1, read)]) answered(ask);
});

function answered(ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
  }
}
