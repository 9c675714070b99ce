/* SipHash-2-4-style, 8 bytes at a time over 1496 bytes of input */
#include "workload.h"
#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define RND do { v0 += v1; v1 = ROTL(v1, 13); v1 ^= v0; v0 = ROTL(v0, 32); \
  v2 += v3; v3 = ROTL(v3, 16); v3 ^= v2; v0 += v3; v3 = ROTL(v3, 21); v3 ^= v0; \
  v2 += v1; v1 = ROTL(v1, 17); v1 ^= v2; v2 = ROTL(v2, 32); } while (0)
INL u64 sip_body(u8 *p, u8 *end) {
  if (p + 1500 > end) return 1;
  u64 v0 = 0x736f6d6570736575ULL, v1 = 0x646f72616e646f6dULL, v2 = 0x6c7967656e657261ULL, v3 = 0x7465646279746573ULL;
#pragma clang loop unroll(disable)
  for (u32 i = 0; i < 1496; i += 8) {
    u64 m = *(u64 *)(p + i);
    v3 ^= m; RND; RND; v0 ^= m; HIDE(i);
  }
  v2 ^= 0xff; RND; RND; RND; RND;
  u64 h = v0 ^ v1 ^ v2 ^ v3;
  return h ^ (h >> 32);
}
ENTRY(sip)
