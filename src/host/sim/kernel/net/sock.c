/* Sockets of any family: memory, references, who may touch one, what waits for it. */
#include "journal.h"
#include "net.h"

#define SK_MEM_SEND 0
#define SK_MEM_RECV 1
/* What a socket has of memory however short it is. */
#define SK_MEM_MIN 4096

static volatile long socket_cookies;

/* A socket of its own, or a clone: nothing of it is in any list. */
void sock_init_data(struct sock *sk)
{
	struct sock_common *c = &sk->__sk_common;
	INIT_LIST_HEAD(&c->skc_node);
	INIT_LIST_HEAD(&c->skc_bind_node);
	atomic_set(&c->skc_refcnt, 1);
	c->skc_flags = 0;
	c->skc_cookie.counter = __atomic_add_fetch(&socket_cookies, 1, __ATOMIC_SEQ_CST);
	skb_queue_head_init(&sk->sk_receive_queue);
	skb_queue_head_init(&sk->sk_write_queue);
	skb_queue_head_init(&sk->tcp_rtx_queue);
	skb_queue_head_init(&sk->sk_backlog.queue);
	sk->sk_backlog.len = 0;
	atomic_set(&sk->sk_rmem_alloc, 0);
	atomic_set(&sk->sk_drops, 0);
	sk->sk_wmem_queued = sk->sk_forward_alloc = 0;
	init_waitqueue_head(&sk->sk_wq);
	init_waitqueue_head(&sk->sk_lock.wq);
	sk->sk_lock.slock.locked = 0;
	sk->sk_lock.owned = 0;
}

struct sock *sk_alloc(struct proto *prot, int family, gfp_t gfp)
{
	struct sock *sk = kmem_cache_alloc(prot->slab, gfp);
	if (!sk)
		return NULL;
	memset(sk, 0, prot->slab->object_size);
	sk->__sk_common.skc_family = (unsigned short)family;
	sk->__sk_common.skc_state = TCP_CLOSE;
	sk->__sk_common.skc_net.net = &init_net;
	sk->sk_prot = prot;
	sock_init_data(sk);
	return sk;
}

/* A socket like `sk` that nobody knows, locked. */
struct sock *sk_clone_lock(const struct sock *sk, gfp_t gfp)
{
	struct sock *newsk = kmem_cache_alloc(sk->sk_prot->slab, gfp);
	if (!newsk)
		return NULL;
	memcpy(newsk, sk, sk->sk_prot->slab->object_size);
	sock_init_data(newsk);
	newsk->sk_socket = NULL;
	newsk->sk_err = 0;
	newsk->sk_shutdown = 0;
	newsk->sk_ack_backlog = newsk->sk_max_ack_backlog = 0;
	newsk->sk_userlocks &= (unsigned char)~(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	_raw_spin_lock(&newsk->sk_lock.slock);
	return newsk;
}

void sk_free(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
	skb_queue_purge(&sk->sk_backlog.queue);
	sk_mem_reclaim_final(sk);
	kmem_cache_free(sk->sk_prot->slab, sk);
}

void sock_hold(struct sock *sk) { atomic_inc(&sk->__sk_common.skc_refcnt); }

void sock_put(struct sock *sk)
{
	if (atomic_dec_and_test(&sk->__sk_common.skc_refcnt))
		sk_free(sk);
}

void sock_def_readable(struct sock *sk) { wake_up_all(&sk->sk_wq); }
void sock_def_wakeup(struct sock *sk) { wake_up_all(&sk->sk_wq); }
void sock_def_error_report(struct sock *sk) { wake_up_all(&sk->sk_wq); }

/* What went wrong is told to who waits. */
void sk_error_report(struct sock *sk)
{
	trace(inet_sk_error_report, sk);
	sock_def_error_report(sk);
}

/* Who waits to write is woken once a third of the room is free. */
void sk_stream_write_space(struct sock *sk)
{
	if (sk->sk_wmem_queued * 3 < sk->sk_sndbuf * 2)
		wake_up_all(&sk->sk_wq);
}

/* True if the caller has the socket now. */
bool try_lock_sock(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock.slock);
	bool free = !sk->sk_lock.owned;
	sk->sk_lock.owned = 1;
	_raw_spin_unlock_irqrestore(&sk->sk_lock.slock, flags);
	return free;
}

/* A task takes the socket: packets that come meanwhile are kept for it. */
void lock_sock(struct sock *sk)
{
	if (!try_lock_sock(sk))
		wait_event(&sk->sk_lock.wq, try_lock_sock(sk));
}

/* Packets that came meanwhile are received; `flags` are those that the lock was taken with. */
void sk_receive_backlog(struct sock *sk, u64 *flags)
{
	struct sk_buff *skb;
	while ((skb = skb_dequeue(&sk->sk_backlog.queue))) {
		sk->sk_backlog.len -= (int)skb->truesize;
		_raw_spin_unlock_irqrestore(&sk->sk_lock.slock, *flags);
		tcp_do_rcv(sk, skb);
		*flags = _raw_spin_lock_irqsave(&sk->sk_lock.slock);
	}
}

void __release_sock(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock.slock);
	sk_receive_backlog(sk, &flags);
	_raw_spin_unlock_irqrestore(&sk->sk_lock.slock, flags);
}

void release_sock(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock.slock);
	sk_receive_backlog(sk, &flags);
	sk->sk_lock.owned = 0;
	_raw_spin_unlock_irqrestore(&sk->sk_lock.slock, flags);
	wake_up(&sk->sk_lock.wq);
}

/* Keeps a packet for the task that has the socket; false if too many are kept already. */
bool sk_add_backlog(struct sock *sk, struct sk_buff *skb)
{
	int limit = sk->sk_rcvbuf + sk->sk_sndbuf + 65536;
	if (sk->sk_backlog.len + atomic_read(&sk->sk_rmem_alloc) > limit)
		return false;
	sk->sk_backlog.len += (int)skb->truesize;
	skb_queue_tail(&sk->sk_backlog.queue, skb);
	return true;
}

/* Gives the socket back until `condition` holds or a signal comes; the caller has it again on return. */
#define sk_wait_event(sk, condition)                                          \
	({                                                                    \
		int __error;                                                  \
		release_sock(sk);                                             \
		__error = (int)wait_event_interruptible(&(sk)->sk_wq, condition); \
		lock_sock(sk);                                                \
		__error;                                                      \
	})

int sk_wait_data(struct sock *sk)
{
	return sk_wait_event(sk, skb_peek(&sk->sk_receive_queue) || sk->sk_err || sk->sk_shutdown & RCV_SHUTDOWN ||
					 sk->__sk_common.skc_state == TCP_CLOSE);
}

int sk_stream_wait_connect(struct sock *sk)
{
	return sk_wait_event(sk, sk->__sk_common.skc_state != TCP_SYN_SENT && sk->__sk_common.skc_state != TCP_SYN_RECV);
}

int sk_stream_wait_memory(struct sock *sk)
{
	return sk_wait_event(sk, sk->sk_wmem_queued < sk->sk_sndbuf || sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN ||
					 sk->__sk_common.skc_state == TCP_CLOSE);
}

/* The protocol's memory has so many pages more for this socket, if its bounds allow. */
bool __sk_mem_raise_allocated(struct sock *sk, int size, int amt, int kind)
{
	struct proto *prot = sk->sk_prot;
	long allocated = __atomic_add_fetch(prot->memory_allocated, amt, __ATOMIC_SEQ_CST);
	int used = kind == SK_MEM_RECV ? atomic_read(&sk->sk_rmem_alloc) : sk->sk_wmem_queued;
	if (allocated <= prot->sysctl_mem[1] || (allocated <= prot->sysctl_mem[2] && used < SK_MEM_MIN * 4))
		return true;
	if (used < SK_MEM_MIN && allocated <= prot->sysctl_mem[2] + prot->sysctl_mem[0])
		return true;
	if (kind == SK_MEM_SEND) {
		journal(J_SOCK_LIMIT, (u64)sk, (u64)allocated, (u64)kind, (u64)size);
		trace(sock_exceed_buf_limit, sk, prot, allocated, kind);
	}
	__atomic_sub_fetch(prot->memory_allocated, amt, __ATOMIC_SEQ_CST);
	return false;
}

bool __sk_mem_schedule(struct sock *sk, int size, int kind)
{
	int missing = size - sk->sk_forward_alloc;
	int amt = (missing + (int)PAGE_SIZE - 1) / (int)PAGE_SIZE;
	if (missing <= 0)
		return true;
	if (!__sk_mem_raise_allocated(sk, size, amt, kind))
		return false;
	sk->sk_forward_alloc += amt * (int)PAGE_SIZE;
	return true;
}

bool sk_wmem_schedule(struct sock *sk, int size) { return __sk_mem_schedule(sk, size, SK_MEM_SEND); }

bool sk_rmem_schedule(struct sock *sk, struct sk_buff *skb, int size)
{
	(void)skb;
	return __sk_mem_schedule(sk, size, SK_MEM_RECV);
}

void sk_mem_charge(struct sock *sk, int size) { sk->sk_forward_alloc -= size; }

/* Whole pages that nothing uses go back to the protocol. */
void sk_mem_uncharge(struct sock *sk, int size)
{
	int pages;
	sk->sk_forward_alloc += size;
	pages = sk->sk_forward_alloc / (int)PAGE_SIZE;
	if (pages <= 0)
		return;
	sk->sk_forward_alloc -= pages * (int)PAGE_SIZE;
	__atomic_sub_fetch(sk->sk_prot->memory_allocated, pages, __ATOMIC_SEQ_CST);
}

/* The socket is freed: what was counted for it is no more. */
void sk_mem_reclaim_final(struct sock *sk)
{
	int pages = (sk->sk_forward_alloc + (int)PAGE_SIZE - 1) / (int)PAGE_SIZE;
	if (sk->sk_forward_alloc > 0)
		__atomic_sub_fetch(sk->sk_prot->memory_allocated, pages, __ATOMIC_SEQ_CST);
	sk->sk_forward_alloc = 0;
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
	skb->rmem_charged = true;
	__atomic_fetch_add(&sk->sk_rmem_alloc.counter, (int)skb->truesize, __ATOMIC_SEQ_CST);
	sk_mem_charge(sk, (int)skb->truesize);
}

void sock_rfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	skb->rmem_charged = false;
	__atomic_fetch_sub(&sk->sk_rmem_alloc.counter, (int)skb->truesize, __ATOMIC_SEQ_CST);
	sk_mem_uncharge(sk, (int)skb->truesize);
}
