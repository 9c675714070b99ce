import { BpfError } from '../../base/index.js';

/** The one release of v86 whose internals are known here. */
export const V86_VERSION = '0.5.462';

/** A typed array of v86's: made anew behind this object whenever its memory grows, and slow for that. */
interface V86View {
  readonly byteOffset: number;
  readonly [index: number]: number;
}

/** What kscope uses of v86's CPU object. Written down here, and checked by `checkInternals`, since v86 documents none of it. */
export interface V86Cpu {
  readonly wasm_memory: WebAssembly.Memory;
  /** Physical memory. */
  readonly mem8: V86View;
  /** One element: bytes of physical memory. */
  readonly memory_size: V86View;
  /** eax, ecx, edx, ebx, esp, ebp, esi, edi. */
  readonly reg32: V86View;
  readonly cr: V86View;
  readonly gdtr_offset: V86View;
  readonly instruction_pointer: V86View;
  readonly flags: V86View;
  /** The time stamp counter as `store_current_tsc` left it: low and high word. */
  readonly current_tsc: V86View;
  readonly in_hlt: V86View;
  readonly io: {
    register_write(port: number, device: object, write8: (value: number) => void): void;
  };
  readonly wm: { readonly wasm_table: WebAssembly.Table };
  readonly jit_imports: Record<string, unknown>;
  /** Told of code that the compiler made; v86's own has it instantiated when the event loop turns. */
  codegen_finalize: (index: number, start: number, flags: number, address: number, length: number) => void;
  codegen_finalize_finished(index: number, start: number, flags: number): void;
  /** Drops what was compiled of the physical range. */
  jit_dirty_cache(start: number, end: number): void;
  /** Runs for about a millisecond; answers how many milliseconds nothing will happen. */
  main_loop(): number;
  store_current_tsc(): void;
}

/** What kscope uses of an emulator: the public part, and `v86.cpu`. */
export interface V86Emulator {
  readonly v86: { readonly cpu: V86Cpu };
  add_listener(event: string, listener: (value: number) => void): void;
  serial_send_bytes(serial: number, bytes: Uint8Array): void;
  restore_state(state: ArrayBuffer): Promise<void>;
  save_state(): Promise<ArrayBuffer>;
  destroy(): Promise<void>;
}

/** The class `V86` of the package v86. */
export type V86Constructor = new (options: never) => unknown;

type Kind = 'function' | 'object' | 'view' | 'memory';

/** Every internal by the path to it, and what it must be. */
const INTERNALS: readonly (readonly [path: string, kind: Kind])[] = [
  ['add_listener', 'function'],
  ['serial_send_bytes', 'function'],
  ['restore_state', 'function'],
  ['save_state', 'function'],
  ['destroy', 'function'],
  ['v86.cpu.wasm_memory', 'memory'],
  ['v86.cpu.mem8', 'view'],
  ['v86.cpu.memory_size', 'view'],
  ['v86.cpu.reg32', 'view'],
  ['v86.cpu.cr', 'view'],
  ['v86.cpu.gdtr_offset', 'view'],
  ['v86.cpu.instruction_pointer', 'view'],
  ['v86.cpu.flags', 'view'],
  ['v86.cpu.current_tsc', 'view'],
  ['v86.cpu.in_hlt', 'view'],
  ['v86.cpu.io.register_write', 'function'],
  ['v86.cpu.wm.wasm_table.set', 'function'],
  ['v86.cpu.jit_imports', 'object'],
  ['v86.cpu.codegen_finalize', 'function'],
  ['v86.cpu.codegen_finalize_finished', 'function'],
  ['v86.cpu.jit_dirty_cache', 'function'],
  ['v86.cpu.main_loop', 'function'],
  ['v86.cpu.store_current_tsc', 'function'],
];

/**
 * `emulator` as what kscope knows it to be. EOPNOTSUPP names every internal that is missing or of another kind, and the
 * release of v86 that has them.
 */
export function checkInternals(emulator: object): V86Emulator {
  const wrong = INTERNALS.flatMap(([path, kind]) => complaint(emulator, path, kind));
  if (wrong.length > 0) {
    throw new BpfError('EOPNOTSUPP', 'looking for the internals of v86 that kscope needs', {
      value: wrong.join(', '),
      remedy: `use v86 ${V86_VERSION} exactly`,
    });
  }
  return emulator as V86Emulator;
}

function complaint(emulator: object, path: string, kind: Kind): readonly string[] {
  const found = lookup(emulator, path);
  if (found === undefined) return [`${path} is missing`];
  return isKind(found, kind) ? [] : [`${path} is no ${kind}`];
}

function lookup(root: unknown, path: string): unknown {
  let value = root;
  for (const name of path.split('.')) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'function') return typeof value === 'function';
  if (typeof value !== 'object' || value === null) return false;
  if (kind === 'view') return typeof (value as Partial<V86View>).byteOffset === 'number';
  if (kind === 'memory') return (value as Partial<WebAssembly.Memory>).buffer instanceof ArrayBuffer;
  return true;
}
