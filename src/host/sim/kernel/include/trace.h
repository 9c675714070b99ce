/* Tracepoints: one test of a flag when off; arguments are built and the host is told only when on. */
#pragma once
#include "cpu.h"

struct address_space;
struct bdi_writeback;
struct bio;
struct cgroup;
struct dentry;
struct file;
struct folio;
struct inode;
struct irqaction;
struct k_sigaction;
struct kernel_siginfo;
struct kmem_cache;
struct mm_struct;
struct napi_struct;
struct net_device;
struct page;
struct pid;
struct proto;
struct request_queue;
struct request_sock;
struct sk_buff;
struct sock;
struct wb_writeback_work;
struct linux_binprm;
struct reclaim_stat;
struct request;
struct timer_list;
struct hrtimer;
/* Why a packet went no further; Linux's numbers. */
enum skb_drop_reason {
	SKB_NOT_DROPPED_YET = 0,
	SKB_DROP_REASON_NOT_SPECIFIED = 1,
	SKB_DROP_REASON_NO_SOCKET = 2,
	SKB_DROP_REASON_PKT_TOO_SMALL = 3,
	SKB_DROP_REASON_PROTO_MEM = 16,
	SKB_DROP_REASON_SOCKET_BACKLOG = 20,
	SKB_DROP_REASON_TCP_FLAGS = 21,
	SKB_DROP_REASON_TCP_ZEROWINDOW = 22,
	SKB_DROP_REASON_TCP_OLD_DATA = 23,
	SKB_DROP_REASON_TCP_OVERWINDOW = 24,
	SKB_DROP_REASON_TCP_OFOMERGE = 25,
	SKB_DROP_REASON_TCP_INVALID_SEQUENCE = 27,
	SKB_DROP_REASON_TCP_RESET = 28,
	SKB_DROP_REASON_TCP_INVALID_SYN = 29,
	SKB_DROP_REASON_TCP_CLOSE = 30,
	SKB_DROP_REASON_TCP_OLD_ACK = 32,
	SKB_DROP_REASON_TCP_ACK_UNSENT_DATA = 34,
	SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE = 35,
	SKB_DROP_REASON_TCP_OFO_DROP = 36,
	SKB_DROP_REASON_IP_OUTNOROUTES = 37,
	SKB_DROP_REASON_QDISC_DROP = 45,
};
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
