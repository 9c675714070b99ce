import { describe, expect, it } from 'vitest';
import { checkInternals, V86_VERSION, V86Machine } from '../../../src/host/v86/index.js';
import { fakeEmulator, fakeV86 } from './fake-cpu.js';

const EMULATOR = ['add_listener', 'serial_send_bytes', 'restore_state', 'save_state', 'destroy'];
const CPU = Object.keys(fakeEmulator().v86.cpu);

function kernel(): Uint8Array {
  const image = new Uint8Array(0x1000);
  image.set(new TextEncoder().encode('HdrS'), 0x202);
  return image;
}

describe('the internals of v86', () => {
  it('are accepted when all are there', () => {
    expect(() => checkInternals(fakeEmulator())).not.toThrow();
  });

  it.each([
    ...EMULATOR.map((name) => [name, [name]] as const),
    ...CPU.map((name) => [`v86.cpu.${name}`, ['v86', 'cpu', name]] as const),
    ['v86.cpu.io.register_write', ['v86', 'cpu', 'io', 'register_write']] as const,
    ['v86.cpu.wm.wasm_table.set', ['v86', 'cpu', 'wm', 'wasm_table', 'set']] as const,
  ])('%s is named when it is missing, with the release that has it', (path, names) => {
    const emulator = fakeEmulator();
    let owner = emulator as Record<string, unknown>;
    for (const name of names.slice(0, -1)) owner = owner[name] as Record<string, unknown>;
    delete owner[names.at(-1) as string];
    expect(() => checkInternals(emulator)).toThrow(path);
    expect(() => checkInternals(emulator)).toThrow(/ is missing.*EOPNOTSUPP; use v86 0\.5\.462 exactly/);
  });

  it.each([
    ['main_loop', 3, 'v86.cpu.main_loop is no function'],
    ['reg32', [], 'v86.cpu.reg32 is no view'],
    ['wasm_memory', {}, 'v86.cpu.wasm_memory is no memory'],
    ['jit_imports', 'text', 'v86.cpu.jit_imports is no object'],
  ])('%s of another kind is refused', (name, value, message) => {
    const emulator = fakeEmulator();
    emulator.v86.cpu[name] = value;
    expect(() => checkInternals(emulator)).toThrow(message);
  });

  it('are checked before a machine starts, all at once', async () => {
    const emulator = fakeEmulator();
    delete emulator.v86.cpu['main_loop'];
    delete emulator.v86.cpu['jit_dirty_cache'];
    const parts = { V86: fakeV86(emulator), wasm: new Uint8Array(), bios: new Uint8Array(), vgaBios: new Uint8Array() };
    await expect(V86Machine.boot(parts, { kernel: kernel() })).rejects.toThrow(
      /v86\.cpu\.jit_dirty_cache is missing, v86\.cpu\.main_loop is missing/,
    );
    expect(V86_VERSION).toBe('0.5.462');
  });
});
