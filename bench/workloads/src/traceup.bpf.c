/* As trace, and an unconditional update of a second hash map: the start times that latency tools keep. */
#include "per-pid.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10240);
  __type(key, u32);
  __type(value, u64);
} start SEC(".maps");

INL u64 traceup_body(u8 *p, u8 *end) {
  struct event *e = (void *)p;
  if (p + 64 > end) return 1;
  u32 pid = e->pid;
  u64 ts = e->ts;
  account(pid, e->delta, ts);
  bpf_map_update_elem(&start, &pid, &ts, 0);
  return 0;
}
ENTRY(traceup)
