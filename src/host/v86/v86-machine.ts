import { BpfError } from '../../base/index.js';
import type { HostRunLimits } from '../host.js';
import { JitModules } from './jit-modules.js';
import { pause } from './pause.js';
import { V86Console } from './v86-console.js';
import { checkInternals, type V86Constructor, type V86Cpu, type V86Emulator } from './v86-internals.js';
import { V86Ram } from './v86-ram.js';

/** The emulator and the firmware of its PC, as bytes: where they come from is the caller's business. */
export interface V86Parts {
  /** The class `V86` of the package v86. */
  readonly V86: V86Constructor;
  /** v86.wasm of the same release. */
  readonly wasm: Uint8Array;
  /** SeaBIOS. */
  readonly bios: Uint8Array;
  /** Its VGA BIOS for the standard adapter. */
  readonly vgaBios: Uint8Array;
}

/** A kernel to boot. */
export interface V86BootOptions {
  /** A bzImage for i386. */
  readonly kernel: Uint8Array;
  /** An initramfs. */
  readonly initrd?: Uint8Array;
  /** Kernel command line; see `V86_CMDLINE` for what it is if absent. */
  readonly cmdline?: string;
  /** Bytes of memory, 128 MiB if absent, more than 64 MiB. */
  readonly memoryBytes?: number;
}

/** Console on the first serial port, a clock that the emulated timers cannot unsettle, no complaints about pauses. */
export const V86_CMDLINE = 'console=ttyS0 nokaslr tsc=reliable mitigations=off random.trust_cpu=on nowatchdog';

const DEFAULT_MEMORY = 128 << 20;
const LEAST_MEMORY = 65 << 20;
const VGA_MEMORY = 2 << 20;
const INTERRUPT_FLAG = 1 << 9;

interface WasmImports {
  readonly env: Record<string, unknown>;
}

/** One emulated PC, run synchronously: time passes in it while `run` runs, and its clocks follow the real one. */
export class V86Machine {
  readonly cpu: V86Cpu;
  readonly ram: V86Ram;
  readonly console: V86Console;
  readonly #emulator: V86Emulator;
  readonly #modules: JitModules;
  #failure: { readonly error: unknown } | null = null;
  #closed = false;

  private constructor(emulator: V86Emulator, console: V86Console) {
    this.#emulator = emulator;
    this.cpu = emulator.v86.cpu;
    this.ram = new V86Ram(this.cpu);
    this.console = console;
    this.#modules = new JitModules(this.cpu);
  }

  /** A machine that is about to start its BIOS. EINVAL for what is no kernel, EOPNOTSUPP for another v86. */
  static async boot(parts: V86Parts, options: V86BootOptions): Promise<V86Machine> {
    checkKernel(options.kernel);
    return V86Machine.#start(parts, memorySize(options.memoryBytes), {
      bzimage: { buffer: arrayBuffer(options.kernel) },
      ...(options.initrd === undefined ? {} : { initrd: { buffer: arrayBuffer(options.initrd) } }),
      cmdline: options.cmdline ?? V86_CMDLINE,
    });
  }

  /** A machine as `save` left it, raw or compressed by zstd. EINVAL where v86 cannot make sense of it. */
  static async restore(parts: V86Parts, state: Uint8Array, memoryBytes: number): Promise<V86Machine> {
    const machine = await V86Machine.#start(parts, memorySize(memoryBytes), {});
    try {
      await machine.#emulator.restore_state(arrayBuffer(state));
    } catch (cause) {
      machine.close();
      throw new BpfError('EINVAL', 'restoring a saved state', { cause, remedy: 'v86 does not accept it' });
    }
    return machine;
  }

  static async #start(parts: V86Parts, memoryBytes: number, more: object): Promise<V86Machine> {
    const console = new V86Console();
    const { V86 } = parts;
    const emulator = await new Promise<V86Emulator>((resolve, reject) => {
      const options = {
        ...more,
        wasm_fn: (imports: WasmImports) => instantiate(parts.wasm, imports, reject),
        memory_size: memoryBytes,
        vga_memory_size: VGA_MEMORY,
        bios: { buffer: arrayBuffer(parts.bios) },
        vga_bios: { buffer: arrayBuffer(parts.vgaBios) },
        autostart: false,
        disable_keyboard: true,
        disable_mouse: true,
        disable_speaker: true,
      };
      const created = new V86(options as never) as V86Emulator;
      created.add_listener('serial0-output-byte', console.put);
      created.add_listener('emulator-loaded', () => {
        try {
          resolve(checkInternals(created));
        } catch (error) {
          reject(error);
        }
      });
    });
    return new V86Machine(emulator, console);
  }

  /**
   * Lets the machine run until a limit is reached (`time`, `until`), its kernel has given up (`oops`), or its processor
   * has halted for good (`halted`).
   */
  run({ ns, until }: HostRunLimits = {}): string {
    const end = ns === undefined ? Infinity : performance.now() + ns / 1e6;
    for (;;) {
      const idle = this.tick();
      if (this.console.oops !== null) return 'oops';
      if (until?.() === true) return 'until';
      const left = end - performance.now();
      if (left <= 0) return 'time';
      if (this.#halted) return 'halted';
      if (idle >= 1) pause(Math.min(idle, left));
    }
  }

  /** Runs for about a millisecond. Milliseconds that nothing will happen. Throws what `fail` was given. */
  tick(): number {
    if (this.#closed) throw new TypeError('this machine is closed');
    const idle = this.cpu.main_loop();
    this.#modules.finish();
    const failure = this.#failure;
    if (failure === null) return idle;
    this.#failure = null;
    throw failure.error;
  }

  /** Calls `listener`, which must not throw, for each byte written to an I/O port. */
  onPortWrite(port: number, listener: () => void): void {
    this.cpu.io.register_write(port, this, listener);
  }

  /** Has `error` thrown by `tick` when the emulator, which must not be unwound, has come to its end. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Whether `fail` was called since the last `tick` began. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Types `text` on the first serial port. */
  send(text: string): void {
    this.#emulator.serial_send_bytes(0, new TextEncoder().encode(text));
  }

  /** Nanoseconds since power on, by the time stamp counter: low and high word. */
  timeStamp(out: Int32Array): void {
    this.cpu.store_current_tsc();
    const { current_tsc } = this.cpu;
    out[0] = current_tsc[0];
    out[1] = current_tsc[1];
  }

  /** Everything there is to the machine, for `restore`. */
  save(): Promise<ArrayBuffer> {
    return this.#emulator.save_state();
  }

  /** Ends the machine. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#emulator.destroy();
  }

  get #halted(): boolean {
    return this.cpu.in_hlt[0] !== 0 && (this.cpu.flags[0] & INTERRUPT_FLAG) === 0;
  }
}

function instantiate(wasm: Uint8Array, imports: WasmImports, reject: (error: unknown) => void): Promise<unknown> {
  return new Promise((resolve) => {
    try {
      resolve(new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: imports.env }).exports);
    } catch (cause) {
      reject(new BpfError('EINVAL', 'starting v86', { cause, remedy: 'v86.wasm must be of the same release' }));
    }
  });
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function memorySize(bytes = DEFAULT_MEMORY): number {
  if (Number.isInteger(bytes) && bytes >= LEAST_MEMORY && bytes <= 1 << 30) return bytes;
  throw new RangeError(`memoryBytes: ${bytes}; more than 64 MiB, at most 1 GiB`);
}

function checkKernel(image: Uint8Array): void {
  const magic = new TextDecoder('latin1').decode(image.subarray(0x202, 0x206));
  if (magic === 'HdrS') return;
  throw new BpfError('EINVAL', 'booting a kernel', {
    offset: 0x202,
    value: JSON.stringify(magic),
    remedy: 'a bzImage says HdrS there',
  });
}
