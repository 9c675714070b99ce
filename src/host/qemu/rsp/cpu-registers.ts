import { BpfError } from '../../../base/index.js';
import type { RspClient } from './rsp-client.js';
import type { RspRegister } from './rsp-registers.js';

/**
 * The registers of one CPU of a machine that stands still: read at once (`g`) or, where that does not hold them, one by
 * one when asked for; changed ones go back with `flush`. One object serves many stops: `load` begins the next.
 */
export class CpuRegisters {
  readonly #client: RspClient;
  readonly #registers: ReadonlyMap<string, RspRegister>;
  readonly #littleEndian: boolean;
  #thread = '';
  #bytes = new Uint8Array();
  readonly #single = new Map<string, bigint>();
  readonly #changed = new Map<string, bigint>();

  constructor(client: RspClient, registers: ReadonlyMap<string, RspRegister>, littleEndian = true) {
    this.#client = client;
    this.#registers = registers;
    this.#littleEndian = littleEndian;
  }

  load(thread: string): void {
    this.#thread = thread;
    this.#single.clear();
    this.#changed.clear();
    this.#bytes = new Uint8Array(this.#client.registersOf(thread));
  }

  has(name: string): boolean {
    return this.#registers.has(name);
  }

  /** The value of a register, unsigned; EOPNOTSUPP where the machine has none of that name. */
  get(name: string): bigint {
    const changed = this.#changed.get(name) ?? this.#single.get(name);
    if (changed !== undefined) return changed;
    const register = this.#find(name);
    const size = register.bits >> 3;
    if (register.offset + size <= this.#bytes.length) {
      return this.#value(this.#bytes.subarray(register.offset, register.offset + size));
    }
    const value = this.#value(this.#client.registerOf(this.#thread, register));
    this.#single.set(name, value);
    return value;
  }

  /** Takes effect with `flush`. */
  set(name: string, value: bigint): void {
    const { bits } = this.#find(name);
    const whole = BigInt.asUintN(bits, value);
    if (this.get(name) !== whole) this.#changed.set(name, whole);
  }

  /** Writes what was changed. */
  flush(): void {
    for (const [name, value] of this.#changed) {
      const register = this.#find(name);
      this.#client.writeRegisterOf(this.#thread, register, this.#encode(value, register.bits >> 3));
      this.#single.set(name, value);
    }
    this.#changed.clear();
  }

  #find(name: string): RspRegister {
    const register = this.#registers.get(name);
    if (register !== undefined) return register;
    throw new BpfError('EOPNOTSUPP', 'reading a register of the guest', {
      value: name,
      remedy: 'its gdb stub does not show it',
    });
  }

  #value(bytes: Uint8Array): bigint {
    let value = 0n;
    for (const byte of this.#littleEndian ? bytes.toReversed() : bytes) value = (value << 8n) | BigInt(byte);
    return value;
  }

  #encode(value: bigint, size: number): Uint8Array {
    const bytes = Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    return this.#littleEndian ? bytes : bytes.toReversed();
  }
}
