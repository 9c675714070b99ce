/* FNV-1a 64, byte-wise over 1500 bytes of input */
#include "workload.h"
INL u64 fnv_body(u8 *p, u8 *end) {
  if (p + 1500 > end) return 1;
  u64 h = 0xcbf29ce484222325ULL;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < 1500; i++) { h = (h ^ p[i]) * 0x100000001b3ULL; HIDE(i); }
  return h ^ (h >> 32);
}
ENTRY(fnv)
