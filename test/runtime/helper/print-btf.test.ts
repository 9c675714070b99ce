import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Btf } from '../../../src/btf/index.js';
import type { Host } from '../../../src/host/index.js';
import { createSim } from '../../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../../src/loader/index.js';
import { Machine } from '../../../src/machine/index.js';
import { BpfRuntime } from '../../../src/runtime/index.js';
import { liveBtf, LiveProgram } from '../../oracle/live-program.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { TestHost } from '../../support/test-host.js';

const SPEC = CollectionSpec.parse(
  readFileSync(new URL('../../testdata/hook-objects/print-btf.bpf.o', import.meta.url)),
);
const COMPACT = 1;
const NONAME = 2;
const PTR_RAW = 4;
const ZERO = 8;
/** struct value of print-btf.bpf.c */
const BYTES = 32;
const TEXT = 32 + 1024;
const SIZE = TEXT + 16384;

interface Request {
  readonly typeId: number;
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly size?: number;
  /** An address instead of the bytes. */
  readonly where?: bigint;
}

interface Printed {
  readonly result: bigint;
  readonly text: string;
}

function encode({ typeId, bytes, flags, size = 16384, where = 0n }: Request): Uint8Array {
  const value = new Uint8Array(SIZE);
  const view = new DataView(value.buffer);
  view.setUint32(0, typeId, true);
  view.setUint32(4, size, true);
  view.setBigUint64(8, BigInt(flags), true);
  view.setBigUint64(16, where, true);
  value.set(bytes, BYTES);
  return value;
}

function decode(value: Uint8Array): Printed {
  const text = value.subarray(TEXT);
  const end = text.indexOf(0);
  const view = new DataView(value.buffer, value.byteOffset);
  return { result: view.getBigInt64(24, true), text: String.fromCharCode(...text.subarray(0, end)) };
}

/** Our side, on a host that has `btf`. */
function printer(btf: Btf): (request: Request) => Printed {
  const host = Object.assign(new TestHost({ cpus: 1 }), { btf }) as Host;
  const runtime = new BpfRuntime(host);
  const collection = Collection.load(SPEC, runtime, { programs: ['print'] });
  const program = collection.programs.get('print')?.program;
  const map = collection.maps.get('.data.value');
  if (program === undefined || map === undefined) throw new Error('the object lacks its program or map');
  return (request) => {
    expect(map.sysUpdate(new Uint8Array(4), encode(request))).toBe(0);
    runtime.testRun(program, { dataIn: new Uint8Array(64) });
    const value = map.sysLookup(new Uint8Array(4));
    if (typeof value === 'number') throw new Error(`reading the value: ${value}`);
    return decode(value);
  };
}

/** Bytes of which most, some or none are 0; the same for the same seed. */
function someBytes(seed: number, length: number): Uint8Array {
  const density = [0.05, 0.3, 1][seed % 3];
  let state = seed * 2654435761 + 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Uint8Array.from({ length }, () => (next() < density ? Math.floor(next() * 256) : 0));
}

/** Structs, unions, arrays, enums, integers, typedefs and pointers of the kernel, spread over its types. */
function someTypes(btf: Btf, count: number): number[] {
  const kinds = ['struct', 'union', 'array', 'enum', 'enum64', 'int', 'typedef', 'ptr', 'fwd', 'float', 'func'];
  const byKind = new Map<string, number[]>(kinds.map((kind) => [kind, []]));
  for (let id = 1; id < btf.typeCount; id++) if (fits(btf, id)) byKind.get(btf.kindOf(id))?.push(id);
  return [...byKind.values()].flatMap((ids) =>
    Array.from({ length: Math.min(count, ids.length) }, (_, i) => ids[Math.floor((i * ids.length) / count)] ?? ids[0]),
  );
}

function fits(btf: Btf, id: number): boolean {
  const kind = btf.kindOf(btf.resolve(id).id);
  return ['fwd', 'func', 'void', 'func_proto', 'datasec', 'var', 'decl_tag'].includes(kind) || btf.sizeOf(id) <= 1024;
}

describe('bpf_seq_printf_btf', () => {
  it('prints the task as the simulator has it', () => {
    const host = createSim({ workload: 'shell' });
    const machine = new Machine(host);
    host.run({ ns: 2_000_000 });
    const { programs } = Collection.load(SPEC, machine.runtime, { programs: ['print_task'] });
    const found = programs.get('print_task');
    if (found === undefined) throw new Error('no program print_task');
    const file = machine.attach(found.program, found.attach).openIter();
    const text = file.text();
    file.close();
    expect(text).toMatch(
      /^\(struct task_struct\)\{\n \.start_time = \(u64\)\d+,\n \.comm = \(char\[\]\)\[\n {2}'i',\n {2}'n',\n {2}'i',\n {2}'t',\n \],/,
    );
    expect(text).toContain(' .pid = (pid_t)1,\n');
    expect(text.endsWith('\n}\n')).toBe(true);
  });
});

const COUNT = Number(process.env['KSCOPE_CASES'] ?? 40);

describeWithLinux('bpf_snprintf_btf, live', (linux) => {
  it.each([
    ['with names', PTR_RAW],
    ['compact', PTR_RAW | COMPACT],
    ['without names', PTR_RAW | NONAME],
    ['with zeros', PTR_RAW | ZERO],
    ['with zeros, compact, without names', PTR_RAW | ZERO | COMPACT | NONAME],
  ])('prints as the kernel does, %s', async (_what, flags) => {
    const btf = liveBtf();
    const ours = printer(btf);
    const live = await LiveProgram.open(linux, SPEC, 'print');
    expect(live.load.result, live.load.log).toBe(0);
    for (const [i, typeId] of someTypes(btf, COUNT).entries()) {
      const request = { typeId, flags, bytes: someBytes(i, 1024) };
      await live.setValue('.data.value', encode(request));
      await live.run();
      const theirs = decode(await live.value('.data.value', SIZE));
      expect(ours(request), `type ${typeId}: ${btf.kindOf(typeId)} ${btf.nameOf(typeId)}`).toEqual(theirs);
    }
    await live.close();
  });

  it('answers as the kernel does where there is nothing to print, or no room', async () => {
    const btf = liveBtf();
    const ours = printer(btf);
    const live = await LiveProgram.open(linux, SPEC, 'print');
    const task = btf.findByName('list_head', 'struct')?.id ?? 0;
    const bytes = someBytes(5, 1024);
    const requests: readonly Request[] = [
      { typeId: 0, bytes, flags: 0 },
      { typeId: btf.typeCount + 100_000, bytes, flags: 0 },
      { typeId: task, bytes, flags: 16 },
      { typeId: task, bytes, flags: PTR_RAW, size: 1 },
      { typeId: task, bytes, flags: PTR_RAW, size: 20 },
      { typeId: task, bytes, flags: PTR_RAW, where: 8n },
      { typeId: task, bytes, flags: PTR_RAW, where: 0xffff_8000_0000_1234n },
    ];
    for (const request of requests) {
      await live.setValue('.data.value', encode(request));
      await live.run();
      const theirs = decode(await live.value('.data.value', SIZE));
      expect(ours(request), JSON.stringify({ ...request, bytes: '', where: String(request.where) })).toEqual(theirs);
    }
    await live.close();
  });
});
