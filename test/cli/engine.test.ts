import { afterEach, expect, it, vi } from 'vitest';
import { engineOption } from '../../src/cli/engine.js';

afterEach(() => vi.unstubAllGlobals());

it.each([
  ['the compiler by default', undefined, 'jit'],
  ['the compiler by name', 'jit', 'jit'],
  ['the interpreter by name', 'interp', 'interp'],
])('chooses %s', (_what, name, engine) => {
  expect(engineOption(name).name).toBe(engine);
});

it('falls back to the interpreter where compiling is denied, unless the compiler was asked for', () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect(engineOption(undefined).name).toBe('interp');
  expect(() => engineOption('jit')).toThrow(/--engine jit: there is no WebAssembly here.*use --engine interp/);
});

it('knows no others', () => {
  expect(() => engineOption('llvm')).toThrow(/--engine llvm: there are jit and interp/);
});
