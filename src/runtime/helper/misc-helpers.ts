import { BpfFuncId } from '../../base/index.js';
import type { Helper } from './helper.js';
import { constString } from './const-string.js';

/** bpf_strncmp and random numbers. */
export function miscHelpers(random: () => number): readonly Helper[] {
  return [
    {
      id: BpfFuncId.BPF_FUNC_get_prandom_u32,
      name: 'get_prandom_u32',
      args: [],
      ret: 'u64',
      gplOnly: false,
      impl: (run) => {
        run.resultHi = 0;
        return random();
      },
    },
    {
      id: BpfFuncId.BPF_FUNC_strncmp,
      name: 'strncmp',
      args: ['mem', 'const_size', 'const_str'],
      ret: 'integer',
      gplOnly: false,
      impl: (run, s1, _s1Hi, size, _sizeHi, s2, s2Hi) => {
        const { u8 } = run.runtime.memory;
        const second = constString(run, s2, s2Hi) ?? new Uint8Array(0);
        return compare(u8.subarray(s1 >>> 0, (s1 >>> 0) + size), second);
      },
    },
  ];
}

/** -1, 0 or 1 over at most `first.length` bytes; `second` ends with an implied NUL. */
function compare(first: Uint8Array, second: Uint8Array): number {
  for (const [i, byte] of first.entries()) {
    const other = second[i] ?? 0;
    if (byte !== other) return byte < other ? -1 : 1;
    if (byte === 0) return 0;
  }
  return 0;
}

/** Reproducible numbers, xorshift32: the same seed gives the same run twice. */
export function xorshift32(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
