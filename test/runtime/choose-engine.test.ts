import { afterEach, describe, expect, it, vi } from 'vitest';
import { exit, mov64Imm } from '../../src/runtime/isa/index.js';
import { BpfMemory, BpfRuntime, chooseEngine, createBareHost } from '../../src/runtime/index.js';

afterEach(() => vi.unstubAllGlobals());

function denied(): never {
  throw new Error('the policy of this page says no');
}

const SITUATIONS: readonly (readonly [situation: string, api: unknown, reason: string])[] = [
  ['there is no WebAssembly', undefined, 'there is no WebAssembly here'],
  ['compiling is denied', { ...members(), Module: denied }, 'the policy of this page says no'],
];

describe('chooseEngine', () => {
  it('compiles where WebAssembly may be compiled', () => {
    expect(chooseEngine()).toEqual({ engine: expect.objectContaining({ name: 'jit' }) as unknown, reason: undefined });
  });

  it.each(SITUATIONS)('interprets where %s, and says so', (_situation, api, reason) => {
    vi.stubGlobal('WebAssembly', api);
    const choice = chooseEngine();
    expect(choice.engine.name).toBe('interp');
    expect(choice.reason).toContain(reason);
  });

  it.each(SITUATIONS)('chooses an engine that runs programs where %s', (_situation, api) => {
    vi.stubGlobal('WebAssembly', api);
    const runtime = new BpfRuntime(createBareHost(), { engine: chooseEngine().engine });
    const program = runtime.loadProgram({
      name: 'seven',
      type: 1,
      expectedAttachType: 0,
      license: 'GPL',
      insns: [mov64Imm(0, 7), exit()],
      maps: [],
    });
    expect(runtime.testRun(program, { dataIn: new Uint8Array(14) }).retval).toBe(7);
  });
});

describe('BpfMemory without WebAssembly', () => {
  it('grows, keeps what was written and ends at its limit', () => {
    vi.stubGlobal('WebAssembly', undefined);
    const memory = new BpfMemory({ maxBytes: 32 << 20 });
    const first = memory.alloc(16);
    memory.u8[first] = 42;
    const large = memory.alloc(16 << 20);
    expect(memory.u8.length).toBeGreaterThanOrEqual(large + (16 << 20));
    expect(memory.u8[first]).toBe(42);
    expect(() => memory.alloc(16 << 20)).toThrow(expect.objectContaining({ code: 'ENOMEM' }));
    memory.free(large, 16 << 20);
    expect(memory.alloc(16 << 20)).toBe(large);
  });
});

/** The members of WebAssembly that kscope uses: a spread of the namespace itself has none. */
function members(): Record<string, unknown> {
  const { Memory, Instance } = WebAssembly;
  return { Memory, Instance };
}
