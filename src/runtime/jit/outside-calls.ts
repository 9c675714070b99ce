import type { Helper } from '../helper/helper.js';
import { type OutsideFunction, outsideFunction } from './outside-function.js';
import type { RunBorder } from './run-border.js';
import type { FunctionType } from './wasm/module-writer.js';
import { ValType } from './wasm/opcodes.js';

const { i32 } = ValType;

/** A type of so many i32 words, and the number of the program that calls as the last one. */
function wordsType(words: number, hasResult = true): FunctionType {
  return { params: Array.from({ length: words + 1 }, () => i32), results: hasResult ? [i32] : [] };
}

/** What helpers of so many arguments take: r10's low word, and each argument as two words. */
const HELPER_TYPES = Array.from({ length: 6 }, (_, args) => wordsType(1 + 2 * args));
const FIND_TYPE = wordsType(5);
const FAULT_TYPE = wordsType(2, false);
const TAIL_CALL_TYPE = wordsType(7);
const CALL_NUMBER_TYPE = wordsType(12, false);
const PACKET_LOAD_TYPE = wordsType(2);

/**
 * The functions that compiled programs of one runtime call in JavaScript, each made on its first use. They are
 * shared: the last word tells which program calls. All words are i32.
 */
export class OutsideCalls {
  readonly #programs: (RunBorder | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #made = new Map<string | Helper, OutsideFunction>();

  /** The number that a program passes with its calls. */
  enter(program: RunBorder): number {
    const number = this.#free.pop() ?? this.#programs.length;
    this.#programs[number] = program;
    return number;
  }

  /** A run that is under way may release its own program, through what its helpers call: it still ends as it would. */
  leave(number: number): void {
    queueMicrotask(() => {
      this.#programs[number] = undefined;
      this.#free.push(number);
    });
  }

  /** (pc, reason): ends the run, or leaves the rest of the function done. */
  get fault(): OutsideFunction {
    return this.#once('fault', FAULT_TYPE, (pc, reason, p) => this.#of(p).fault(pc, reason));
  }

  /** (lo, hi, off, size, sp): the offset of bytes that may be read, or -1. */
  get findReadable(): OutsideFunction {
    return this.#once('findReadable', FIND_TYPE, (lo, hi, off, size, sp, p) =>
      this.#of(p).find(false, lo, hi, off, size, sp),
    );
  }

  get findWritable(): OutsideFunction {
    return this.#once('findWritable', FIND_TYPE, (lo, hi, off, size, sp, p) =>
      this.#of(p).find(true, lo, hi, off, size, sp),
    );
  }

  /** (sp, r1 to r3): 1 where the other program has run. */
  get tailCall(): OutsideFunction {
    return this.#once('tailCall', TAIL_CALL_TYPE, (sp, a, b, c, d, e, f, p) =>
      this.#of(p).tailCall(sp, [a, b, c, d, e, f]),
    );
  }

  /** (number, sp, r1 to r5): a call of the helper with that number. */
  get callNumber(): OutsideFunction {
    return this.#once('callNumber', CALL_NUMBER_TYPE, (number, sp, a, b, c, d, e, f, g, h, i, j, p) =>
      this.#of(p).callNumber(number, sp, [a, b, c, d, e, f, g, h, i, j]),
    );
  }

  /** (offset, size): the loaded value, its high word telling whether there is one. */
  get packetLoad(): OutsideFunction {
    return this.#once('packetLoad', PACKET_LOAD_TYPE, (offset, size, p) => this.#of(p).packetLoad(offset, size));
  }

  /** (sp, arguments): the low word of the result. */
  helper(helper: Helper): OutsideFunction {
    return this.#once(helper, HELPER_TYPES[helper.args.length], this.#helperCall(helper));
  }

  #of(number: number): RunBorder {
    const program = this.#programs[number];
    if (program === undefined) throw new TypeError(`no compiled program has the number ${number}`);
    return program;
  }

  #once(name: string | Helper, type: FunctionType, call: (...words: number[]) => unknown): OutsideFunction {
    let made = this.#made.get(name);
    if (made === undefined) {
      made = outsideFunction(type, call);
      this.#made.set(name, made);
    }
    return made;
  }

  /**
   * A function with exactly as many parameters as compiled code passes: for anything else V8 adapts the call and
   * converts `undefined`, at several times the price.
   */
  #helperCall(helper: Helper): (...words: number[]) => number {
    switch (helper.args.length) {
      case 0:
        return (sp, p) => this.#of(p).call(helper, sp);
      case 1:
        return (sp, a, b, p) => {
          const border = this.#of(p);
          border.argument(1, a, b);
          return border.call(helper, sp);
        };
      case 2:
        return (sp, a, b, c, d, p) => {
          const border = this.#of(p);
          border.argument(1, a, b);
          border.argument(2, c, d);
          return border.call(helper, sp);
        };
      case 3:
        return (sp, a, b, c, d, e, f, p) => {
          const border = this.#of(p);
          border.argument(1, a, b);
          border.argument(2, c, d);
          border.argument(3, e, f);
          return border.call(helper, sp);
        };
      case 4:
        return (sp, a, b, c, d, e, f, g, h, p) => {
          const border = this.#of(p);
          border.argument(1, a, b);
          border.argument(2, c, d);
          border.argument(3, e, f);
          border.argument(4, g, h);
          return border.call(helper, sp);
        };
      default:
        return (sp, a, b, c, d, e, f, g, h, i, j, p) => {
          const border = this.#of(p);
          border.argument(1, a, b);
          border.argument(2, c, d);
          border.argument(3, e, f);
          border.argument(4, g, h);
          border.argument(5, i, j);
          return border.call(helper, sp);
        };
    }
  }
}
