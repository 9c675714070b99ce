import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type BpfMap, BpfMemory, createInterpreter, createJit, type Engine } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { fixture } from '../interp/support.js';

const { BPF_ADD, BPF_DW, BPF_FETCH, BPF_JNE, BPF_W } = isa;

describe('shared BpfMemory', () => {
  it('is told apart from memory of one thread', () => {
    expect(new BpfMemory({ shared: true }).shared).toBe(true);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    expect(new BpfMemory({ memory }).shared).toBe(true);
  });

  it('grows under views of its own, which stay valid and end where it ended', () => {
    const memory = new BpfMemory({ shared: true });
    const early = memory.alloc(64);
    const { u8: before } = memory;
    const late = memory.alloc(5 << 20);
    memory.u8.fill(7, early, early + 64);
    memory.u8[late + (5 << 20) - 1] = 9;
    expect(before[early]).toBe(7);
    expect(before[late + (5 << 20) - 1]).toBeUndefined();
    expect(new BpfMemory({ memory: memory.wasm }).u8[late + (5 << 20) - 1]).toBe(9);
  });
});

const engines: readonly (readonly [string, () => Engine])[] = [
  ['interp', () => createInterpreter()],
  ['jit', () => createJit()],
];

/** Adds 1 to two cells of other programs, as often as said, and tells when it begins. */
const ADDER = `
  const { workerData: { memory, at, times, started } } = require('node:worker_threads');
  const narrow = new Int32Array(memory.buffer, at, 1);
  const wide = new BigInt64Array(memory.buffer, at + 8, 1);
  Atomics.store(started, 0, 1);
  Atomics.notify(started, 0);
  for (let i = 0; i < times; i++) {
    Atomics.add(narrow, 0, 1);
    Atomics.add(wide, 0, 1n);
  }`;

describe.each(engines)('atomics of %s on shared memory', (_name, engine) => {
  it('lose nothing to another thread that adds at the same time', { timeout: 60_000 }, async () => {
    const rounds = 20_000;
    const times = 200_000;
    const { array, load, run, runtime } = fixture({ engine: engine(), memory: new BpfMemory({ shared: true }) });
    const cells: BpfMap = array(16);
    const program = load(
      [
        isa.ldImm64(1, 0n, 2),
        isa.mov64Imm(2, 1),
        isa.mov64Imm(3, 1),
        isa.mov64Imm(4, rounds),
        isa.atomic(BPF_W, BPF_ADD, 1, 2, 0),
        isa.mov64Imm(3, 1),
        isa.atomic(BPF_DW, BPF_ADD | BPF_FETCH, 1, 3, 8),
        isa.alu64Imm(BPF_ADD, 4, -1),
        isa.jmpImm(BPF_JNE, 4, 0, -5),
        isa.mov64Imm(0, 0),
        isa.exit(),
      ],
      { maps: [cells] },
    );
    const started = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { memory: runtime.memory.wasm, at: cells.directValue(0), times, started };
    const worker = new Worker(ADDER, { eval: true, workerData });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    while (Atomics.load(started, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    let runs = 0;
    while (runtime.memory.i32[cells.directValue(0) >>> 2] < times || runs < 3) {
      expect(run(program)).toBe(0);
      runs++;
      if (runs > 1000) break;
    }
    await ended;
    const value = new DataView((cells.sysLookup(new Uint8Array(4)) as Uint8Array).slice().buffer);
    expect(value.getUint32(0, true)).toBe(times + runs * rounds);
    expect(value.getBigUint64(8, true)).toBe(BigInt(times + runs * rounds));
  });
});
