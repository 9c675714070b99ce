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
};

static __always_inline void journal(enum journal_kind kind, u64 a, u64 b, u64 c, u64 d)
{
	hypercall(HC_JOURNAL, kind, a, b, c, d);
}
