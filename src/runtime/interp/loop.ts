import type { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { Activation } from './activation.js';
import {
  arsh64,
  below,
  div32,
  div64,
  less,
  mod32,
  mod64,
  mul64,
  sdiv32,
  sdiv64,
  smod32,
  smod64,
  swap16,
  swap32,
  swap64,
} from './arithmetic.js';
import { readAt, writeAt } from './checked-access.js';
import { callHelper } from './helper-call.js';
import type { Op } from './op.js';
import type { DST_MASK, DST_SHIFT, INSN_WORDS, OP_MASK, SRC_SHIFT } from './insn-word.js';
import { rare } from './rare.js';
import { BUDGET_USED, RunStopped } from './stop.js';
import { tailCall } from './tail-call.js';

/**
 * Runs from word `pc` of the program until the function entered there returns; its result is in r0.
 *
 * Registers are pairs of words in one Int32Array, low word first: `r[d]`, `r[d + 1]`. `budget` counts
 * instructions; it is charged with whole straight runs (`start` to the jump that ends them), so that only
 * jumps pay for it. A case that ends in `continue` goes on with the next instruction, one that ends in `break`
 * jumps to `x`.
 */
export function execute(vm: Activation, entry: number): void {
  const { registers: r, guard, run } = vm;
  const { words } = vm.code;
  const { view } = run.runtime.memory;
  let { budget } = run;
  let pc = entry;
  let start = entry;
  try {
    for (;;) {
      const word = words[pc];
      const op = word & (0x7f satisfies typeof OP_MASK);
      const d = (word >>> (7 satisfies typeof DST_SHIFT)) & (0x1f satisfies typeof DST_MASK);
      const s = word >>> (12 satisfies typeof SRC_SHIFT);
      let x = words[pc + 1];
      pc += 2 satisfies typeof INSN_WORDS;
      switch (op) {
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
        case 2 satisfies Op['mul64']:
          mul64(r, d, s);
          continue;
        case 3 satisfies Op['div64']:
          div64(r, d, s);
          continue;
        case 4 satisfies Op['sdiv64']:
          sdiv64(r, d, s);
          continue;
        case 5 satisfies Op['mod64']:
          mod64(r, d, s);
          continue;
        case 6 satisfies Op['smod64']:
          smod64(r, d, s);
          continue;
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
        case 12 satisfies Op['arsh64']:
          arsh64(r, d, s);
          continue;
        case 13 satisfies Op['neg64']:
          r[d + 1] = r[d] === 0 ? -r[d + 1] : ~r[d + 1];
          r[d] = -r[d];
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
          r[d] = div32(r[d], r[s]);
          r[d + 1] = 0;
          continue;
        case 22 satisfies Op['sdiv32']:
          r[d] = sdiv32(r[d], r[s]);
          r[d + 1] = 0;
          continue;
        case 23 satisfies Op['mod32']:
          r[d] = mod32(r[d], r[s]);
          r[d + 1] = 0;
          continue;
        case 24 satisfies Op['smod32']:
          r[d] = smod32(r[d], r[s]);
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
          r[d] = -r[d];
          r[d + 1] = 0;
          continue;
        case 32 satisfies Op['mov32']:
          r[d] = r[s];
          r[d + 1] = 0;
          continue;
        case 33 satisfies Op['movsx32_s8']:
          r[d] = (r[s] << 24) >> 24;
          r[d + 1] = 0;
          continue;
        case 34 satisfies Op['movsx32_s16']:
          r[d] = (r[s] << 16) >> 16;
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
          r[d] = swap16(r[d]);
          r[d + 1] = 0;
          continue;
        case 39 satisfies Op['swap32']:
          r[d] = swap32(r[d]);
          r[d + 1] = 0;
          continue;
        case 40 satisfies Op['swap64']:
          swap64(r, d);
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
          if (below(r, s, d)) break;
          continue;
        case 45 satisfies Op['jge64']:
          if (!below(r, d, s)) break;
          continue;
        case 46 satisfies Op['jlt64']:
          if (below(r, d, s)) break;
          continue;
        case 47 satisfies Op['jle64']:
          if (!below(r, s, d)) break;
          continue;
        case 48 satisfies Op['jset64']:
          if (((r[d] & r[s]) | (r[d + 1] & r[s + 1])) !== 0) break;
          continue;
        case 49 satisfies Op['jsgt64']:
          if (less(r, s, d)) break;
          continue;
        case 50 satisfies Op['jsge64']:
          if (!less(r, d, s)) break;
          continue;
        case 51 satisfies Op['jslt64']:
          if (less(r, d, s)) break;
          continue;
        case 52 satisfies Op['jsle64']:
          if (!less(r, s, d)) break;
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
        case 64 satisfies Op['may_goto']:
          if (budget < vm.loopReserve) break;
          continue;

        // --- loads and stores
        case 65 satisfies Op['load8']:
          r[d] = view.getUint8(readAt(guard, r[s], r[s + 1], x, 1));
          r[d + 1] = 0;
          continue;
        case 66 satisfies Op['load16']:
          r[d] = view.getUint16(readAt(guard, r[s], r[s + 1], x, 2), true);
          r[d + 1] = 0;
          continue;
        case 67 satisfies Op['load32']:
          r[d] = view.getInt32(readAt(guard, r[s], r[s + 1], x, 4), true);
          r[d + 1] = 0;
          continue;
        case 68 satisfies Op['load64']: {
          const at = readAt(guard, r[s], r[s + 1], x, 8);
          r[d] = view.getInt32(at, true);
          r[d + 1] = view.getInt32(at + 4, true);
          continue;
        }
        case 69 satisfies Op['loadsx8']:
          r[d] = view.getInt8(readAt(guard, r[s], r[s + 1], x, 1));
          r[d + 1] = r[d] >> 31;
          continue;
        case 70 satisfies Op['loadsx16']:
          r[d] = view.getInt16(readAt(guard, r[s], r[s + 1], x, 2), true);
          r[d + 1] = r[d] >> 31;
          continue;
        case 71 satisfies Op['loadsx32']:
          r[d] = view.getInt32(readAt(guard, r[s], r[s + 1], x, 4), true);
          r[d + 1] = r[d] >> 31;
          continue;
        case 72 satisfies Op['loadPacketPointer']: {
          const isContext = r[s + 1] === (-0x180 satisfies typeof BPF_MEMORY_HI) && r[s] >>> 0 === run.ctx;
          r[d] = view.getInt32(readAt(guard, r[s], r[s + 1], x, 4), true);
          r[d + 1] = isContext ? (-0x180 satisfies typeof BPF_MEMORY_HI) : 0;
          continue;
        }
        case 73 satisfies Op['store8']:
          view.setInt8(writeAt(guard, r[d], r[d + 1], x, 1), r[s]);
          continue;
        case 74 satisfies Op['store16']:
          view.setInt16(writeAt(guard, r[d], r[d + 1], x, 2), r[s], true);
          continue;
        case 75 satisfies Op['store32']:
          view.setInt32(writeAt(guard, r[d], r[d + 1], x, 4), r[s], true);
          continue;
        case 76 satisfies Op['store64']: {
          const at = writeAt(guard, r[d], r[d + 1], x, 8);
          view.setInt32(at, r[s], true);
          view.setInt32(at + 4, r[s + 1], true);
          continue;
        }

        // --- calls
        case 77 satisfies Op['callHelper']:
          run.budget = budget;
          callHelper(vm, vm.code.helpers[x]);
          budget = run.budget;
          continue;
        case 78 satisfies Op['callSubprog']:
          vm.pushFrame(pc);
          break;
        case 79 satisfies Op['tailCall']:
          run.budget = budget;
          if (!tailCall(vm)) continue;
          budget = run.budget;
          x = vm.popFrame();
          break;
        case 80 satisfies Op['exit']:
          x = vm.popFrame();
          break;
        default:
          if (rare(vm, op, d, s, x)) continue;
          x = vm.popFrame();
      }
      budget -= (pc - start) >> 1;
      if (x < 0) {
        run.budget = budget;
        return;
      }
      if (budget < 0) throw new RunStopped(BUDGET_USED);
      pc = start = x;
    }
  } catch (error) {
    if (error instanceof RunStopped && error.index < 0) error.index = (pc >> 1) - 1;
    throw error;
  }
}
