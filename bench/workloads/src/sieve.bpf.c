/* byte sieve of 448 numbers held on the eBPF stack, 4 passes (no skip of composites: keeps the kernel verifier linear) */
#include "workload.h"
#define N 448
INL u64 sieve_body(u8 *p, u8 *end) {
  u8 s[N];
  u64 count = 0;
#pragma clang loop unroll(disable)
  for (u32 pass = 0; pass < 4; pass++) {
    u64 *w = (u64 *)s;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < N / 8; i++) { w[i] = 0; HIDE(i); }
#pragma clang loop unroll(disable)
    for (u32 i = 2; i < 22; i++) {

#pragma clang loop unroll(disable)
      for (u32 j = i * i; j < N; j += i) { s[j] = 1; HIDE(j); }
    }
#pragma clang loop unroll(disable)
    for (u32 i = 2; i < N; i++) { count += s[i] ^ 1; HIDE(i); }
    count = count * 3 + pass;
  }
  return count;
}
ENTRY(sieve)
