/* Reserve, fill and submit one 32-byte record of a ring buffer. FLAGS go to bpf_ringbuf_submit. */
#include "workload.h"

#ifndef FLAGS
#define FLAGS 0
#endif

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 22);
} records SEC(".maps");

/* Brings the type into the object's BTF, so that consumers can decode records. */
struct record *unused __attribute__((unused));

INL u64 ring_body(u8 *p, u8 *end) {
  struct event *e = (void *)p;
  if (p + 64 > end) return 1;
  struct record *r = bpf_ringbuf_reserve(&records, sizeof *r, 0);
  if (!r) return 2;
  r->ts = e->ts, r->pid = e->pid, r->cpu = e->cpu, r->delta = e->delta, r->seq = 7;
  bpf_ringbuf_submit(r, FLAGS);
  return 0;
}
ENTRY(ring)
