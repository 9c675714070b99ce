/* Latency statistics of tracing programs: totals per pid in a hash map, a log2 histogram in an array map. */
#pragma once
#include "workload.h"

struct totals { u64 count, sum, max, last; };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10240);
  __type(key, u32);
  __type(value, struct totals);
} per_pid SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 64);
  __type(key, u32);
  __type(value, u64);
} histogram SEC(".maps");

INL u32 log2_64(u64 v) {
  u32 r = 0, hi = v >> 32;
  if (hi) r = 32;
  else hi = (u32)v;
  u32 x = hi, s;
  s = (x > 0xffff) << 4, x >>= s, r += s;
  s = (x > 0xff) << 3, x >>= s, r += s;
  s = (x > 0xf) << 2, x >>= s, r += s;
  s = (x > 3) << 1, x >>= s, r += s;
  return r + (x >> 1);
}

INL void account(u32 pid, u64 delta, u64 ts) {
  struct totals *t = bpf_map_lookup_elem(&per_pid, &pid);
  if (t) {
    t->count += 1;
    t->sum += delta;
    if (delta > t->max) t->max = delta;
    t->last = ts;
  } else {
    struct totals first = { 1, delta, delta, ts };
    bpf_map_update_elem(&per_pid, &pid, &first, 0);
  }
  u32 bucket = log2_64(delta);
  u64 *slot = bpf_map_lookup_elem(&histogram, &bucket);
  if (slot) *slot += 1;
}
