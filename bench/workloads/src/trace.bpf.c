/* Tracing: totals per pid in a hash map and a log2 histogram in an array map. */
#include "per-pid.h"

INL u64 trace_body(u8 *p, u8 *end) {
  struct event *e = (void *)p;
  if (p + 64 > end) return 1;
  account(e->pid, e->delta, e->ts);
  return 0;
}
ENTRY(trace)
