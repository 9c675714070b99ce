/* Waiting for several files at once. */
#pragma once
#include "fs.h"

typedef void (*poll_queue_proc)(struct file *, struct wait_queue_head *, struct poll_table_struct *);
typedef struct poll_table_struct {
	poll_queue_proc _qproc;
	/* The events that the caller waits for. */
	__poll_t _key;
} poll_table;

#define DEFAULT_POLLMASK (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)

/* For a file's own `poll`: the queue that it wakes when something changes. */
static __always_inline void poll_wait(struct file *file, struct wait_queue_head *wq, poll_table *p)
{
	if (p && p->_qproc && wq)
		p->_qproc(file, wq, p);
}

__poll_t vfs_poll(struct file *file, poll_table *p);
/* A time from now as the clock's; NULL, for ever, if there is none. */
ktime_t *poll_timeout(ktime_t *expires, s64 ns);
