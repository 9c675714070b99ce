/*
 * Types that BPF programs name but the kernel itself does not use: the contexts of their hooks, with Linux's
 * names and layouts, so that programs built against Linux relocate. One pointer to each keeps them in the
 * debug information.
 */
#include "blk.h"
#include "fs.h"
#include "irq.h"
#include "net.h"

struct trace_entry {
	unsigned short type;
	unsigned char flags;
	unsigned char preempt_count;
	int pid;
};

#define EVENT(name, ...)             \
	struct trace_event_raw_##name {    \
		struct trace_entry ent;    \
		__VA_ARGS__                \
		char __data[];             \
	};

#include "event-records.def"
#undef EVENT

struct syscall_trace_enter {
	struct trace_entry ent;
	int nr;
	unsigned long args[];
};
struct syscall_trace_exit {
	struct trace_entry ent;
	int nr;
	long ret;
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

typedef struct pt_regs bpf_user_pt_regs_t;
struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

#define PROTO(...) (void *__data, __VA_ARGS__)
#define TRACEPOINT(name, proto, args, count) typedef void(*btf_trace_##name) PROTO proto;
#include "tracepoints.def"
#undef TRACEPOINT

union btf_kept_types {
#define EVENT(name, ...) struct trace_event_raw_##name *name;
#include "event-records.def"
#undef EVENT
	struct syscall_trace_enter *syscall_trace_enter;
	struct syscall_trace_exit *syscall_trace_exit;
	struct bpf_raw_tracepoint_args *bpf_raw_tracepoint_args;
	struct bpf_perf_event_data *bpf_perf_event_data;
#define TRACEPOINT(name, proto, args, count) btf_trace_##name trace_##name;
#include "tracepoints.def"
#undef TRACEPOINT
};
union btf_kept_types btf_kept_types __used;
