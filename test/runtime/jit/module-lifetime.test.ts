import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BpfProgType } from '../../../src/base/index.js';
import { BpfRuntime, createJit, type ProgramInput } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { TestHost } from '../../support/test-host.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Instances made since the test began. */
let instances: WeakRef<WebAssembly.Instance>[] = [];
const { Instance } = WebAssembly;

beforeEach(() => {
  instances = [];
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: Record<string, Record<string, unknown>>) {
      super(module, imports);
      instances.push(new WeakRef(this));
    }
  };
});
afterEach(() => void (WebAssembly.Instance = Instance));

/** Waits until no more than `expected` instances are left, for a while; answers how many are. */
async function left(expected: number): Promise<number> {
  let count = instances.length;
  for (let i = 0; i < 20 && count > expected; i++) {
    // What a WeakRef has answered stays until the end of the turn.
    await setTimeout(5);
    collectGarbage();
    await setTimeout(5);
    count = instances.filter((each) => each.deref() !== undefined).length;
  }
  return count;
}

function input(value: number): ProgramInput {
  const type = BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT;
  const insns = [isa.mov64Imm(0, value), isa.exit()];
  return { name: `answers${value}`, type, expectedAttachType: 0, license: 'GPL', maps: [], insns };
}

describe('compiled code', () => {
  const load = (...values: number[]) => {
    const runtime = new BpfRuntime(new TestHost(), { engine: createJit() });
    // What all programs of a runtime share is made with the first.
    runtime.loadProgram(input(0)).release();
    instances = [];
    return { runtime, programs: runtime.loadPrograms(values.map((value) => input(value))) };
  };

  it('of an object is one module', () => {
    load(1, 2, 3);
    expect(instances).toHaveLength(1);
  });

  it('goes with the last of the programs in it, even if somebody keeps the programs', async () => {
    const { runtime, programs } = load(1, 2, 3);
    const [first, ...others] = programs;
    for (const program of others) program.release();
    expect(await left(1)).toBe(1);
    expect(runtime.testRun(first).retval).toBe(1);
    first.release();
    expect(await left(0)).toBe(0);
    expect(programs).toHaveLength(3);
  });
});
