import type { FrameCells } from './frame-cells.js';
import {
  CONTEXT,
  FRAME_TOP,
  isConstant,
  join,
  Kind,
  PACKET,
  same,
  UNKNOWN,
  type Value,
  widened,
  withExtent,
} from './value.js';

const REGISTERS = 11;
const R1 = 1;
const R10 = 10;
/** After the registers: the packet's start as if it were a register nobody can write. */
const PACKET_CELL = REGISTERS;
const FIRST_FRAME_CELL = REGISTERS + 1;

/** What is known of all registers and followed places of the frame at one point of a function. */
export class ProgramState {
  readonly values: Value[];
  readonly #frame: FrameCells;

  constructor(frame: FrameCells, values: Value[]) {
    this.#frame = frame;
    this.values = values;
  }

  /** Nothing but that r10 is the frame's end; r1 of a program is its context. */
  static atEntry(frame: FrameCells, isEntry: boolean): ProgramState {
    const values = Array.from({ length: FIRST_FRAME_CELL + frame.cells.length }, () => UNKNOWN);
    if (isEntry) values[R1] = CONTEXT;
    values[R10] = FRAME_TOP;
    values[PACKET_CELL] = PACKET;
    return new ProgramState(frame, values);
  }

  copy(): ProgramState {
    return new ProgramState(this.#frame, this.values.slice());
  }

  register(r: number): Value {
    return this.values[r];
  }

  /** A pointer to the packet's first byte: its extent is how many bytes the packet surely has. */
  get packetStart(): Value {
    return this.values[PACKET_CELL];
  }

  /** The packet surely has so many bytes. */
  packetHas(bytes: number): void {
    this.values[PACKET_CELL] = withExtent(this.values[PACKET_CELL], bytes);
  }

  /** The number that `size` bytes at r10 + `off` hold, unsigned unless they are 8; UNKNOWN where it may vary. */
  frameNumber(off: number, size: number): Value {
    const cell = this.#frame.at(off, size);
    const value = cell < 0 ? UNKNOWN : this.values[FIRST_FRAME_CELL + cell];
    return isConstant(value) ? value : UNKNOWN;
  }

  frameCell(off: number, size: number): Value | undefined {
    const cell = this.#frame.at(off, size);
    return cell < 0 ? undefined : this.values[FIRST_FRAME_CELL + cell];
  }

  /** `size` bytes at exactly r10 + `off` become `value`. */
  setFrame(off: number, size: number, value: Value): void {
    this.forgetFrame(off, off + size);
    const cell = this.#frame.at(off, size);
    if (cell >= 0) this.values[FIRST_FRAME_CELL + cell] = value;
  }

  /** Bytes from `from` to `to`, counted from r10, may have changed. */
  forgetFrame(from: number, to: number): void {
    const { cells } = this.#frame;
    for (let i = 0; i < cells.length; i++) {
      if (cells[i].from < to && from < cells[i].to) this.values[FIRST_FRAME_CELL + i] = UNKNOWN;
    }
  }

  forgetAllOfFrame(): void {
    this.values.fill(UNKNOWN, FIRST_FRAME_CELL);
  }

  /** Puts `change(value)` in the place of every value. */
  replace(change: (value: Value) => Value): void {
    const { values } = this;
    for (let i = 0; i < values.length; i++) values[i] = change(values[i]);
  }

  /** The packet may be another one now. */
  forgetPacket(): void {
    this.replace((value) => (value.kind === Kind.packet || value.kind === Kind.packetEnd ? UNKNOWN : value));
    this.values[PACKET_CELL] = PACKET;
  }

  /** Adds another path to here; whether that changed anything. `steps` widens what moves. */
  join(other: ProgramState, steps?: readonly number[]): boolean {
    const { values } = this;
    let changed = false;
    for (let i = 0; i < values.length; i++) {
      const before = values[i];
      const met = join(before, other.values[i]);
      if (met === before || same(met, before)) continue;
      values[i] = steps === undefined ? met : widened(before, met, steps);
      changed = true;
    }
    return changed;
  }
}
