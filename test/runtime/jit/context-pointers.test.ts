import { describe, expect, it } from 'vitest';
import { BpfProgType } from '../../../src/base/index.js';
import { createInterpreter, createJit, type Engine } from '../../../src/runtime/index.js';
import { assemble } from '../../../src/runtime/isa/index.js';
import { fixture } from '../interp/support.js';

/** High word that a program finds in r0 where it reads xdp_md.data through a pointer computed as `distance` from the context. */
function highWordOfData(engine: Engine, distance: number): number {
  const { runtime, array, load } = fixture({ engine });
  const map = array(8);
  map.sysUpdate(new Uint8Array(4), Uint8Array.of(distance, 0, 0, 0, 0, 0, 0, 0));
  const insns = assemble(`
    r2 = map[0].value + 0 ll
    r2 = *(u32 *)(r2 + 0)
    r2 &= 7
    r1 += r2
    r0 = *(u32 *)(r1 + 0)
    r0 >>= 32
    exit`);
  const program = load(insns, { type: BpfProgType.BPF_PROG_TYPE_XDP, maps: [map] });
  return runtime.testRun(program, { dataIn: new Uint8Array(64) }).retval;
}

describe('a pointer that may be the context', () => {
  it.each([0, 4])('gives a packet pointer where it is, compiled as interpreted: %i bytes on', (distance) => {
    const interpreted = highWordOfData(createInterpreter(), distance);
    expect(interpreted !== 0).toBe(distance === 0);
    expect(highWordOfData(createJit(), distance)).toBe(interpreted);
  });
});
