import { describe, expect, it } from 'vitest';
import { JitModules } from '../../../src/host/v86/jit-modules.js';
import { fakeCpu } from './fake-cpu.js';

/** (module (func (export "f") (result i32) (i32.const 42))) */
const MODULE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0, 0x0a, 6, 1, 4, 0, 0x41, 42, 0x0b],
);

describe('modules that v86 compiles', () => {
  it('are put to use between two runs, without waiting for promises', () => {
    const cpu = fakeCpu();
    const table = new Map<number, unknown>();
    const finished: number[][] = [];
    Object.assign(cpu.wm.wasm_table, { set: (index: number, f: unknown) => table.set(index, f) });
    cpu.codegen_finalize_finished = (...of) => void finished.push(of);
    const modules = new JitModules(cpu);
    new Uint8Array(cpu.wasm_memory.buffer).set(MODULE, 0x400);
    cpu.codegen_finalize(7, 0x1234, 5, 0x400, MODULE.length);
    // v86 writes the next module over this one.
    new Uint8Array(cpu.wasm_memory.buffer).fill(0, 0x400, 0x500);
    expect(finished).toEqual([]);
    modules.finish();
    modules.finish();
    expect(finished).toEqual([[7, 0x1234, 5]]);
    expect((table.get(1024 + 7) as () => number)()).toBe(42);
  });
});
