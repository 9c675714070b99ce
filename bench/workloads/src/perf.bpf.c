/* Output of one 32-byte record to a perf event array. */
#include "workload.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} records SEC(".maps");

/* Brings the type into the object's BTF, so that consumers can decode records. */
struct record *unused __attribute__((unused));

SEC("xdp") int perf(struct xdp_md *ctx) {
  u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
  struct event *e = (void *)p;
  if (p + 64 > end) return 1;
  struct record r = { e->ts, e->pid, e->cpu, e->delta, 7 };
  return bpf_perf_event_output(ctx, &records, 0xffffffffULL, &r, sizeof r) ? 2 : 0;
}
SEC("license") char _license[] = "GPL";
