#include "workload.h"
INL u64 empty_body(u8 *p, u8 *end) { return 0; }
ENTRY(empty)
