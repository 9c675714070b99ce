import type { Arch } from '../../../arch/index.js';
import { BpfError, hex64, hi32, lo32 } from '../../../base/index.js';
import type { SymbolTable } from '../../index.js';
import type { ExecRoom } from '../exec-room.js';
import type { QemuMemory } from '../qemu-memory.js';
import type { QemuText } from '../qemu-text.js';
import type { TrapArch, TrapFacts } from './trap-arch.js';
import { TrapPath, type TrapPathOptions } from './trap-path.js';
import { linkTrapStub, TrapStub } from './trap-stub.js';

export interface TrapHookOptions extends TrapPathOptions {
  readonly arch: Arch;
  readonly facts: TrapFacts;
  readonly memory: QemuMemory;
  readonly text: QemuText;
  readonly room: ExecRoom;
  /** Hexadecimal code of the stub. */
  readonly code: string;
  /** Virtual address of the slots. */
  readonly mailbox: bigint;
}

/** The stub in the guest, and the jump to it at the entry of the guest's own handler of breakpoint traps. */
export class TrapHook {
  readonly #o: TrapHookOptions;
  readonly #site: bigint;
  readonly #original: Uint8Array;
  readonly #path: TrapPath;

  /** Puts both in place. The machine must stand still. */
  constructor(options: TrapHookOptions) {
    const { traps, room, control, text } = options;
    this.#o = options;
    this.#site = siteOf(traps, options.facts.symbols);
    const jump = traps.handler.jump(this.#site, room.address);
    if (jump === null) throw unhookable(traps, `the room at ${hex64(room.address)} is out of its reach`);
    const prologue = this.#prologue(jump.length);
    this.#original = prologue.slice(0, jump.length);
    // Slots too: they end in a breakpoint.
    const own = { from: room.address, to: room.address + BigInt(room.size) };
    this.#path = new TrapPath(options, options.facts.symbols, [own]);
    const parameter = traps.stubParameter(options.facts);
    if (parameter === null)
      throw unhookable(traps, 'the types and symbols of the kernel do not tell where a CPU finds its number');
    const resume = this.#site + BigInt(prologue.length);
    const stub = linkTrapStub({ code: options.code, prologue, mailbox: options.mailbox, resume, parameter });
    const written = text.write(room.address, stub);
    const site = { from: this.#site + 1n, to: resume };
    const patched = written && this.#path.whenOutside([site], () => text.write(this.#site, jump));
    if (!patched || control.ended !== null) throw unhookable(traps, 'its text cannot be written');
  }

  /** As `TrapPath.drain`. */
  drain(): void {
    this.#path.drain();
  }

  /** Gives the guest its handler back, when no CPU is on its way to or from the stub, or in a slot; then calls `last`. */
  remove(last: () => void): void {
    this.#path.whenClear(() => {
      this.#o.text.write(this.#site, this.#original);
      last();
      return true;
    });
  }

  /** The first instructions of the guest's handler that make room for `length` bytes. */
  #prologue(length: number): Uint8Array {
    const { traps, memory, arch } = this.#o;
    const bytes = new Uint8Array(TrapStub.prologueSize + arch.probing.maxInsnLength);
    if (!memory.readKernel(lo32(this.#site), hi32(this.#site), bytes, 0, bytes.length)) {
      throw unhookable(traps, 'its text cannot be read');
    }
    let size = 0;
    while (size < length) {
      const insn = bytes.subarray(size);
      const step = arch.probing.insnLength(insn, 0);
      if (step === 0 || !traps.handler.isMovable(insn)) {
        throw unhookable(
          traps,
          `its instruction at +${size} (${hexBytes(insn.subarray(0, Math.max(step, 4)))}) cannot be moved`,
        );
      }
      size += step;
    }
    return bytes.slice(0, size);
  }
}

function siteOf(traps: TrapArch, symbols: SymbolTable): bigint {
  const symbol = symbols.lookup(traps.handler.symbol);
  if (symbol !== undefined) return symbol.address;
  throw unhookable(traps, 'the kernel has no such symbol');
}

function unhookable(traps: TrapArch, remedy: string): BpfError {
  return new BpfError('EOPNOTSUPP', `taking over ${traps.handler.symbol} of the guest`, { remedy });
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
