/* A counter in an array map, atomic increment. */
#include "workload.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, u32);
  __type(value, u64);
} counters SEC(".maps");

INL u64 cntat_body(u8 *p, u8 *end) {
  u32 k = 1;
  u64 *c = bpf_map_lookup_elem(&counters, &k);
  if (c) __sync_fetch_and_add(c, 1);
  return 0;
}
ENTRY(cntat)
