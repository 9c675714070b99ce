import type { BPF_MEMORY_HI, BpfMemory } from '../memory/bpf-memory.js';
import type { AccessGuard } from './access-guard.js';
import type { DST_MASK, DST_SHIFT, INSN_WORDS, OP_MASK, SRC_SHIFT } from './insn-word.js';
import type { Op } from './op.js';

/**
 * Registers and, behind them, constants of the program that runs, as pairs of words, low word first; as long as the
 * first word of an instruction can address. One file for all programs: V8 compiles the address of a constant array
 * into the loop. Pages that nobody writes cost nothing.
 */
const r = new Int32Array((1 << 20) + 1);
/** The same for others; V8 would load an exported `r` anew at each use. */
export const registerFile: Int32Array = r;

/** What the loop is given and leaves behind. */
export interface Progress {
  /** Instructions that may be executed; below zero once they are used up. */
  fuel: number;
  /** First word of the straight run of instructions under way, which is not charged yet. */
  start: number;
}

/**
 * Runs from word `entry` of the program to the first instruction that it leaves to `execute`, or to the jump with
 * which the fuel is used up, and answers the word behind that. It makes no call and handles no exception, so that V8
 * keeps all it needs in machine registers.
 *
 * Fuel is charged for whole straight runs, so that only jumps pay for it. A case that ends in `continue` goes on with
 * the next instruction, one that ends in `break` jumps to `x`, and `break run` leaves the instruction undone.
 */
export function runInLoop(
  words: Int32Array,
  entry: number,
  progress: Progress,
  guard: AccessGuard,
  memory: BpfMemory,
): number {
  const { u8, u16, i32 } = memory;
  const readStart = guard.readStart | 0;
  const readEnd = guard.readEnd | 0;
  const writeStart = guard.writeStart | 0;
  const writeEnd = guard.writeEnd | 0;
  // Offsets are signed here: what lies above 2 GiB is left to `execute`.
  const stackStart = guard.stackStart | 0;
  const stackEnd = guard.stackEnd < 0x8000_0000 ? guard.stackEnd | 0 : 0;
  const context = guard.contextStart | 0;
  const contextEnd = guard.contextEnd < 0x8000_0000 ? guard.contextEnd | 0 : 0;
  let fuel = progress.fuel | 0;
  let start = progress.start | 0;
  let pc = entry | 0;
  run: for (let word = words[pc]; ; word = words[pc]) {
    const x = words[(pc + 1) | 0];
    pc = (pc + (2 satisfies typeof INSN_WORDS)) | 0;
    const d = (word >>> (7 satisfies typeof DST_SHIFT)) & (0x1f satisfies typeof DST_MASK);
    const s = word >>> (12 satisfies typeof SRC_SHIFT);
    switch (word & (0x7f satisfies typeof OP_MASK)) {
      // --- 64-bit arithmetic
      case 0 satisfies Op['add64']: {
        const lo = (r[d] + r[s]) | 0;
        const carry = lo >>> 0 < r[d] >>> 0 ? 1 : 0;
        r[d + 1] = r[d + 1] + r[s + 1] + carry;
        r[d] = lo;
        continue;
      }
      case 1 satisfies Op['sub64']: {
        const borrow = r[d] >>> 0 < r[s] >>> 0 ? 1 : 0;
        r[d + 1] = r[d + 1] - r[s + 1] - borrow;
        r[d] = r[d] - r[s];
        continue;
      }
      case 2 satisfies Op['mul64']: {
        // High word of the low words' product by 16-bit halves; no partial sum exceeds 32 bits.
        const a = r[d];
        const b = r[s];
        const left = (Math.imul(a >>> 16, b & 0xffff) + (Math.imul(a & 0xffff, b & 0xffff) >>> 16)) | 0;
        const right = (Math.imul(a & 0xffff, b >>> 16) + (left & 0xffff)) | 0;
        const carried = (Math.imul(a >>> 16, b >>> 16) + (left >>> 16) + (right >>> 16)) | 0;
        r[d + 1] = Math.imul(a, r[s + 1]) + Math.imul(r[d + 1], b) + carried;
        r[d] = Math.imul(a, b);
        continue;
      }
      case 7 satisfies Op['or64']:
        r[d] |= r[s];
        r[d + 1] |= r[s + 1];
        continue;
      case 8 satisfies Op['and64']:
        r[d] &= r[s];
        r[d + 1] &= r[s + 1];
        continue;
      case 9 satisfies Op['xor64']:
        r[d] ^= r[s];
        r[d + 1] ^= r[s + 1];
        continue;
      case 10 satisfies Op['lsh64']: {
        const by = r[s] & 63;
        const lo = r[d];
        if (by >= 32) {
          r[d + 1] = lo << by;
          r[d] = 0;
        } else if (by > 0) {
          r[d + 1] = (r[d + 1] << by) | (lo >>> (32 - by));
          r[d] = lo << by;
        }
        continue;
      }
      case 11 satisfies Op['rsh64']: {
        const by = r[s] & 63;
        const hi = r[d + 1];
        if (by >= 32) {
          r[d] = hi >>> by;
          r[d + 1] = 0;
        } else if (by > 0) {
          r[d] = (r[d] >>> by) | (hi << (32 - by));
          r[d + 1] = hi >>> by;
        }
        continue;
      }
      case 12 satisfies Op['arsh64']: {
        const by = r[s] & 63;
        const hi = r[d + 1];
        if (by >= 32) {
          r[d] = hi >> by;
          r[d + 1] = hi >> 31;
        } else if (by > 0) {
          r[d] = (r[d] >>> by) | (hi << (32 - by));
          r[d + 1] = hi >> by;
        }
        continue;
      }
      case 13 satisfies Op['neg64']:
        r[d + 1] = r[d] === 0 ? 0 - r[d + 1] : ~r[d + 1];
        r[d] = 0 - r[d];
        continue;
      case 14 satisfies Op['mov64']:
        r[d + 1] = r[s + 1];
        r[d] = r[s];
        continue;
      case 15 satisfies Op['movsx64_s8']:
        r[d] = (r[s] << 24) >> 24;
        r[d + 1] = r[d] >> 31;
        continue;
      case 16 satisfies Op['movsx64_s16']:
        r[d] = (r[s] << 16) >> 16;
        r[d + 1] = r[d] >> 31;
        continue;
      case 17 satisfies Op['movsx64_s32']:
        r[d] = r[s];
        r[d + 1] = r[d] >> 31;
        continue;

      // --- 32-bit arithmetic: the upper word becomes zero
      case 18 satisfies Op['add32']:
        r[d] += r[s];
        r[d + 1] = 0;
        continue;
      case 19 satisfies Op['sub32']:
        r[d] -= r[s];
        r[d + 1] = 0;
        continue;
      case 20 satisfies Op['mul32']:
        r[d] = Math.imul(r[d], r[s]);
        r[d + 1] = 0;
        continue;
      case 21 satisfies Op['div32']:
        r[d] = r[s] === 0 ? 0 : (r[d] >>> 0) / (r[s] >>> 0);
        r[d + 1] = 0;
        continue;
      case 23 satisfies Op['mod32']:
        if (r[s] !== 0) r[d] = (r[d] >>> 0) % (r[s] >>> 0);
        r[d + 1] = 0;
        continue;
      case 25 satisfies Op['or32']:
        r[d] |= r[s];
        r[d + 1] = 0;
        continue;
      case 26 satisfies Op['and32']:
        r[d] &= r[s];
        r[d + 1] = 0;
        continue;
      case 27 satisfies Op['xor32']:
        r[d] ^= r[s];
        r[d + 1] = 0;
        continue;
      case 28 satisfies Op['lsh32']:
        r[d] <<= r[s];
        r[d + 1] = 0;
        continue;
      case 29 satisfies Op['rsh32']:
        r[d] = r[d] >>> r[s];
        r[d + 1] = 0;
        continue;
      case 30 satisfies Op['arsh32']:
        r[d] >>= r[s];
        r[d + 1] = 0;
        continue;
      case 31 satisfies Op['neg32']:
        r[d] = 0 - r[d];
        r[d + 1] = 0;
        continue;
      case 32 satisfies Op['mov32']:
        r[d] = r[s];
        r[d + 1] = 0;
        continue;

      // --- byte order
      case 35 satisfies Op['truncate16']:
        r[d] &= 0xffff;
        r[d + 1] = 0;
        continue;
      case 36 satisfies Op['truncate32']:
        r[d + 1] = 0;
        continue;
      case 37 satisfies Op['truncate64']:
        continue;
      case 38 satisfies Op['swap16']:
        r[d] = ((r[d] & 0xff) << 8) | ((r[d] >>> 8) & 0xff);
        r[d + 1] = 0;
        continue;
      case 39 satisfies Op['swap32']:
        r[d] = (r[d] << 24) | ((r[d] & 0xff00) << 8) | ((r[d] >>> 8) & 0xff00) | (r[d] >>> 24);
        r[d + 1] = 0;
        continue;

      // --- jumps
      case 41 satisfies Op['ja']:
        break;
      case 42 satisfies Op['jeq64']:
        if (r[d] === r[s] && r[d + 1] === r[s + 1]) break;
        continue;
      case 43 satisfies Op['jne64']:
        if (r[d] !== r[s] || r[d + 1] !== r[s + 1]) break;
        continue;
      case 44 satisfies Op['jgt64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 > r[s] >>> 0 : r[d + 1] >>> 0 > r[s + 1] >>> 0) break;
        continue;
      case 45 satisfies Op['jge64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 >= r[s] >>> 0 : r[d + 1] >>> 0 > r[s + 1] >>> 0) break;
        continue;
      case 46 satisfies Op['jlt64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 < r[s] >>> 0 : r[d + 1] >>> 0 < r[s + 1] >>> 0) break;
        continue;
      case 47 satisfies Op['jle64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 <= r[s] >>> 0 : r[d + 1] >>> 0 < r[s + 1] >>> 0) break;
        continue;
      case 48 satisfies Op['jset64']:
        if (((r[d] & r[s]) | (r[d + 1] & r[s + 1])) !== 0) break;
        continue;
      case 49 satisfies Op['jsgt64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 > r[s] >>> 0 : r[d + 1] > r[s + 1]) break;
        continue;
      case 50 satisfies Op['jsge64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 >= r[s] >>> 0 : r[d + 1] > r[s + 1]) break;
        continue;
      case 51 satisfies Op['jslt64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 < r[s] >>> 0 : r[d + 1] < r[s + 1]) break;
        continue;
      case 52 satisfies Op['jsle64']:
        if (r[d + 1] === r[s + 1] ? r[d] >>> 0 <= r[s] >>> 0 : r[d + 1] < r[s + 1]) break;
        continue;
      case 53 satisfies Op['jeq32']:
        if (r[d] === r[s]) break;
        continue;
      case 54 satisfies Op['jne32']:
        if (r[d] !== r[s]) break;
        continue;
      case 55 satisfies Op['jgt32']:
        if (r[d] >>> 0 > r[s] >>> 0) break;
        continue;
      case 56 satisfies Op['jge32']:
        if (r[d] >>> 0 >= r[s] >>> 0) break;
        continue;
      case 57 satisfies Op['jlt32']:
        if (r[d] >>> 0 < r[s] >>> 0) break;
        continue;
      case 58 satisfies Op['jle32']:
        if (r[d] >>> 0 <= r[s] >>> 0) break;
        continue;
      case 59 satisfies Op['jset32']:
        if ((r[d] & r[s]) !== 0) break;
        continue;
      case 60 satisfies Op['jsgt32']:
        if (r[d] > r[s]) break;
        continue;
      case 61 satisfies Op['jsge32']:
        if (r[d] >= r[s]) break;
        continue;
      case 62 satisfies Op['jslt32']:
        if (r[d] < r[s]) break;
        continue;
      case 63 satisfies Op['jsle32']:
        if (r[d] <= r[s]) break;
        continue;

      // --- loads and stores: in the region accessed last, the stack, the context; aligned
      case 65 satisfies Op['load8']: {
        const at = (r[s] + x) | 0;
        if (r[s + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI)) break run;
        if (at < readStart || at > ((readEnd - 1) | 0)) {
          if (at < stackStart || at > ((stackEnd - 1) | 0)) {
            if (at < context || at > ((contextEnd - 1) | 0)) break run;
          }
        }
        r[d] = u8[at];
        r[d + 1] = 0;
        continue;
      }
      case 66 satisfies Op['load16']: {
        const at = (r[s] + x) | 0;
        if (r[s + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 1) !== 0) break run;
        if (at < readStart || at > ((readEnd - 2) | 0)) {
          if (at < stackStart || at > ((stackEnd - 2) | 0)) {
            if (at < context || at > ((contextEnd - 2) | 0)) break run;
          }
        }
        r[d] = u16[at >> 1];
        r[d + 1] = 0;
        continue;
      }
      case 67 satisfies Op['load32']: {
        const at = (r[s] + x) | 0;
        if (r[s + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 3) !== 0) break run;
        if (at < readStart || at > ((readEnd - 4) | 0)) {
          if (at < stackStart || at > ((stackEnd - 4) | 0)) {
            if (at < context || at > ((contextEnd - 4) | 0)) break run;
          }
        }
        r[d] = i32[at >> 2];
        r[d + 1] = 0;
        continue;
      }
      case 68 satisfies Op['load64']: {
        const at = (r[s] + x) | 0;
        if (r[s + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 3) !== 0) break run;
        if (at < readStart || at > ((readEnd - 8) | 0)) {
          if (at < stackStart || at > ((stackEnd - 8) | 0)) {
            if (at < context || at > ((contextEnd - 8) | 0)) break run;
          }
        }
        r[d] = i32[at >> 2];
        r[d + 1] = i32[((at >> 2) + 1) | 0];
        continue;
      }
      case 72 satisfies Op['loadPacketPointer']:
        if (r[s] !== context || r[s + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI)) break run;
        if ((context & 3) !== 0 || x > ((contextEnd - context - 4) | 0)) break run;
        r[d] = i32[(context + x) >> 2];
        r[d + 1] = -0x180 satisfies typeof BPF_MEMORY_HI;
        continue;
      case 73 satisfies Op['store8']: {
        const at = (r[d] + x) | 0;
        if (r[d + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI)) break run;
        if (at < writeStart || at > ((writeEnd - 1) | 0)) {
          if (at < stackStart || at > ((stackEnd - 1) | 0)) break run;
        }
        u8[at] = r[s];
        continue;
      }
      case 74 satisfies Op['store16']: {
        const at = (r[d] + x) | 0;
        if (r[d + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 1) !== 0) break run;
        if (at < writeStart || at > ((writeEnd - 2) | 0)) {
          if (at < stackStart || at > ((stackEnd - 2) | 0)) break run;
        }
        u16[at >> 1] = r[s];
        continue;
      }
      case 75 satisfies Op['store32']: {
        const at = (r[d] + x) | 0;
        if (r[d + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 3) !== 0) break run;
        if (at < writeStart || at > ((writeEnd - 4) | 0)) {
          if (at < stackStart || at > ((stackEnd - 4) | 0)) break run;
        }
        i32[at >> 2] = r[s];
        continue;
      }
      case 76 satisfies Op['store64']: {
        const at = (r[d] + x) | 0;
        if (r[d + 1] !== (-0x180 satisfies typeof BPF_MEMORY_HI) || (at & 3) !== 0) break run;
        if (at < writeStart || at > ((writeEnd - 8) | 0)) {
          if (at < stackStart || at > ((stackEnd - 8) | 0)) break run;
        }
        i32[at >> 2] = r[s];
        i32[((at >> 2) + 1) | 0] = r[s + 1];
        continue;
      }
      default:
        break run;
    }
    fuel = (fuel - ((pc - start) >> 1)) | 0;
    if (fuel < 0) break;
    pc = start = x;
  }
  progress.fuel = fuel;
  progress.start = start;
  return pc;
}
