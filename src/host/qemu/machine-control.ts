import { BpfError } from '../../base/index.js';
import { RunningClock } from './guest-clock.js';
import { CpuRegisters } from './rsp/cpu-registers.js';
import { withoutPhantoms } from './rsp/register-quirks.js';
import type { RspClient } from './rsp/rsp-client.js';
import type { RspStop } from './rsp/rsp-stop-reply.js';

const HALT_MS = 20_000;

/** Lets a machine run and stops it, whoever asks for what; keeps stops that were not asked for. */
export class MachineControl {
  readonly client: RspClient;
  /** Thread of each CPU. */
  readonly threads: readonly string[];
  /** Registers of one CPU at a time. */
  readonly cpu: CpuRegisters;
  /** Runs when the machine does. */
  readonly clock = new RunningClock();
  /** How the machine ended: it is gone, or its processor gave up. */
  ended: string | null = null;
  #pending: RspStop | null = null;
  /** Counts how often the machine was let go: what was read of it before may be stale. */
  #turns = 0;
  #interrupted = false;

  /** The client must be started, the machine stand still. */
  constructor(client: RspClient) {
    this.client = client;
    this.threads = client.threads();
    const sent = client.registersOf(this.threads[0]).length;
    this.cpu = new CpuRegisters(client, withoutPhantoms(client.readRegisters(), sent));
  }

  get turns(): number {
    return this.#turns;
  }

  get running(): boolean {
    return this.client.running;
  }

  /** Lets all CPUs run, or that of one thread. A stop that waits to be taken (`take`) keeps the machine where it is. */
  resume(thread?: string): void {
    if (this.running || this.#pending !== null || this.ended !== null) return;
    this.#turns++;
    this.#interrupted = false;
    this.clock.start();
    this.client.resume(thread);
  }

  /**
   * Executes the instruction at `from`, where a thread stands, while the others stand still, and loads its registers; `pc` is the
   * name of that one.
   * Where two CPUs met breakpoints at one time, QEMU has two stops to tell, and the second ends a step before it began:
   * a CPU that has not moved is asked once more. An instruction that jumps to itself is so executed twice.
   */
  step(thread: string, from: bigint, pc: string): void {
    this.#stepOnce(thread);
    if (this.cpu.get(pc) === from) this.#stepOnce(thread);
  }

  #stepOnce(thread: string): void {
    this.client.step(thread);
    this.cpu.load(thread);
  }

  /** Why the machine stopped by itself, within `timeoutMs`; null: it runs, or stands still as it was told to. */
  take(timeoutMs: number): RspStop | null {
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) return pending;
    if (!this.running) return null;
    const stop = this.#wait(timeoutMs);
    return stop === null || this.#asked(stop) ? null : stop;
  }

  /** Stops the machine. If it stopped by itself meanwhile, `take` will tell. */
  halt(): void {
    if (!this.running) return;
    this.#interrupted = true;
    this.client.interrupt();
    const stop = this.#wait(HALT_MS);
    if (stop === null) {
      throw new BpfError('ETIMEDOUT', 'stopping the guest', {
        remedy: 'its gdb stub does not answer: is the emulator hung?',
      });
    }
    if (!this.#asked(stop)) this.#pending = stop;
  }

  /** Runs `action` while the machine stands still; then it goes on if it did before. */
  whileHalted<T>(action: () => T): T {
    const running = this.running;
    this.halt();
    try {
      return action();
    } finally {
      if (running) this.resume();
    }
  }

  #wait(timeoutMs: number): RspStop | null {
    try {
      const stop = this.client.waitStop(timeoutMs);
      if (stop !== null) this.clock.stop();
      if (stop !== null && stop.kind !== 'stopped') this.ended = 'exited';
      return stop;
    } catch (error) {
      if (error instanceof BpfError && error.code === 'EPIPE') {
        this.ended = 'exited';
        return { kind: 'exited', status: -1 };
      }
      throw error;
    }
  }

  /** SIGINT answers an interrupt. */
  #asked(stop: RspStop): boolean {
    return this.#interrupted && stop.kind === 'stopped' && stop.signal === 2;
  }
}
