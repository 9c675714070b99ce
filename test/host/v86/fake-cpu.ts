import { checkInternals, type V86Constructor } from '../../../src/host/v86/index.js';

/** An emulator with all internals that kscope uses and nothing behind them but memory. */
export function fakeEmulator(
  memoryBytes = 2 << 20,
): { v86: { cpu: Record<string, unknown> } } & Record<string, unknown> {
  const memory = new WebAssembly.Memory({ initial: (memoryBytes >> 16) + 1, maximum: 1024 });
  const view = (byteOffset: number): Record<string | number, number> => ({ byteOffset, 0: 0, 1: 0 });
  const nothing = (): void => undefined;
  const cpu: Record<string, unknown> = {
    wasm_memory: memory,
    mem8: view(65_536),
    memory_size: { byteOffset: 0, 0: memoryBytes },
    reg32: view(64),
    cr: view(128),
    gdtr_offset: view(160),
    instruction_pointer: view(164),
    flags: view(168),
    current_tsc: view(176),
    in_hlt: view(184),
    io: { register_write: nothing },
    wm: { wasm_table: { set: nothing } },
    jit_imports: {},
    codegen_finalize: nothing,
    codegen_finalize_finished: nothing,
    jit_dirty_cache: nothing,
    main_loop: () => 0,
    store_current_tsc: nothing,
  };
  return {
    v86: { cpu },
    add_listener: nothing,
    serial_send_bytes: nothing,
    restore_state: nothing,
    save_state: nothing,
    destroy: nothing,
  };
}

/** Its CPU as kscope sees it. */
export function fakeCpu(memoryBytes?: number): ReturnType<typeof checkInternals>['v86']['cpu'] {
  return checkInternals(fakeEmulator(memoryBytes)).v86.cpu;
}

/** A class `V86` that makes the given emulator, loaded at once. */
export function fakeV86(emulator: Record<string, unknown>): V86Constructor {
  return function V86(this: object) {
    const add = (event: string, listener: () => void): void => {
      if (event === 'emulator-loaded') queueMicrotask(listener);
    };
    return Object.assign(emulator, { add_listener: add });
  } as unknown as V86Constructor;
}
