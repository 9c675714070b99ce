/*
 * The machine's diary: what really happened, written where it happens and read by tests. It is apart from
 * all tracing. docs/simulator.md lists the arguments of each kind.
 */
#pragma once
#include "cpu.h"

enum journal_kind {
	J_SYSCALL_ENTER = 1,
	J_SYSCALL_EXIT = 2,
	J_OPEN = 3,
	J_READ = 4,
	J_WRITE = 5,
	J_FORK = 6,
	J_EXEC = 7,
	J_EXIT = 8,
	J_SWITCH = 9,
	J_WAKEUP = 10,
	J_BLOCK_INSERT = 11,
	J_BLOCK_ISSUE = 12,
	J_BLOCK_COMPLETE = 13,
	J_IRQ_ENTER = 14,
	J_IRQ_EXIT = 15,
	J_TIMER_ENTER = 16,
	J_TIMER_EXIT = 17,
	J_HRTIMER_ENTER = 18,
	J_HRTIMER_EXIT = 19,
	J_TCP_CONNECT = 20,
	J_TCP_ACCEPT = 21,
	J_REAP = 22,
	J_FAULT = 23,
	J_UNLINK = 24,
	J_MKDIR = 25,
	J_SOFTIRQ_ENTER = 26,
	J_SOFTIRQ_EXIT = 27,
	J_TIMER_START = 28,
	J_RENAME = 29,
	J_SCHED_STAT = 30,
	J_MIGRATE = 31,
	J_KMALLOC = 32,
	J_KFREE = 33,
	J_CACHE_ALLOC = 34,
	J_CACHE_FREE = 35,
	J_PAGE_ALLOC = 36,
	J_PAGE_FREE = 37,
	J_RSS_STAT = 38,
	J_PAGE_FAULT = 39,
	J_SOFTIRQ_RAISE = 40,
	J_CPU_IDLE = 41,
	J_PAGE_CACHE_ADD = 42,
	J_PAGE_CACHE_DELETE = 43,
	J_DIRTY_FOLIO = 44,
	J_WRITEBACK = 45,
	J_BIO_QUEUE = 46,
	J_SIGNAL_GENERATE = 47,
	J_SIGNAL_DELIVER = 48,
	J_NET_QUEUE = 49,
	J_NET_XMIT = 50,
	J_NET_RECEIVE = 51,
	J_NAPI_POLL = 52,
	J_SKB_FREE = 53,
	J_SOCK_STATE = 54,
	J_TCP_RESET = 55,
	J_TCP_RETRANSMIT = 56,
	J_TCP_DESTROY = 57,
	J_TCP_SPACE = 58,
};

/* Which of the scheduler's statistics J_SCHED_STAT tells of. */
enum journal_stat { STAT_WAIT = 0, STAT_SLEEP = 1, STAT_IOWAIT = 2, STAT_BLOCKED = 3, STAT_RUNTIME = 4 };

void journal(enum journal_kind kind, u64 a, u64 b, u64 c, u64 d);
