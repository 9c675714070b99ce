/* pure compute: 100 000 iterations of a 64-bit LCG folded with xor */
#include "workload.h"
INL u64 lcg_body(u8 *p, u8 *end) {
  u64 x = 88172645463325252ULL, h = 0;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < 100000; i++) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    h ^= x >> 33;
  }
  return h;
}
ENTRY(lcg)
