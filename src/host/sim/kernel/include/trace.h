/* Tracepoints: one test of a flag when off; arguments are built and the host is told only when on. */
#pragma once
#include "cpu.h"

struct address_space;
struct bdi_writeback;
struct bio;
struct dentry;
struct file;
struct folio;
struct inode;
struct irqaction;
struct k_sigaction;
struct kernel_siginfo;
struct kmem_cache;
struct mm_struct;
struct page;
struct pid;
struct request_queue;
struct wb_writeback_work;
struct linux_binprm;
struct request;
struct timer_list;
struct hrtimer;
enum hrtimer_mode { HRTIMER_MODE_ABS = 0, HRTIMER_MODE_REL = 1 };

struct tracepoint {
	const char *name;
	int enabled;
	u32 index;
};

#define UNPACK(...) __VA_ARGS__
#define TRACEPOINT(name, proto, args, count)                                                              \
	extern struct tracepoint __tracepoint_##name;                                                     \
	void __traceiter_##name(UNPACK proto);
#include "tracepoints.def"
#undef TRACEPOINT

#define trace(name, ...)                                                                                  \
	do {                                                                                              \
		if (unlikely(READ_ONCE(__tracepoint_##name.enabled)))                                     \
			__traceiter_##name(__VA_ARGS__);                                                  \
	} while (0)
