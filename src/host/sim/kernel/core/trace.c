/* The slow side of each tracepoint: its arguments, widened to 64 bits, go to the host. */
#include "journal.h"
#include "sched.h"

/* A function, so that the ones that call it can be probed at every instruction. */
void journal(enum journal_kind kind, u64 a, u64 b, u64 c, u64 d) { hypercall(HC_JOURNAL, kind, a, b, c, d); }

#define UNPACK_ARGS(...) { __VA_ARGS__ }

enum {
#define TRACEPOINT(name, proto, args, count) TRACEPOINT_INDEX_##name,
#include "tracepoints.def"
#undef TRACEPOINT
};

#define TRACEPOINT(tp, proto, arguments, count)                                                      \
	struct tracepoint __tracepoint_##tp __section("__tracepoints") = { .name = #tp, .index = TRACEPOINT_INDEX_##tp }; \
	void __traceiter_##tp(UNPACK proto)                                                          \
	{                                                                                            \
		u64 args[count] = UNPACK_ARGS arguments;                                             \
		hypercall(HC_TRACEPOINT, TRACEPOINT_INDEX_##tp, (u64)args, count, 0, 0);             \
	}
#include "tracepoints.def"
