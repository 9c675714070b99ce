/* Sockets as the network sees them: memory, references, who may touch one, where it is found. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

struct inet_hashinfo {
	spinlock_t lock;
	struct list_head list;
	volatile u32 next_port;
} tcp_hashinfo;

static struct kmem_cache tcp_sock_cache;
static volatile long socket_cookies;

void skb_queue_purge(struct sk_buff_head *queue);
void tcp_init_sock(struct sock *sk);

void tcp_init(void)
{
	INIT_LIST_HEAD(&tcp_hashinfo.list);
	kmem_cache_create(&tcp_sock_cache, "TCP", sizeof(struct tcp_sock));
}

struct sock *sk_alloc(void)
{
	struct sock *sk = kmem_cache_alloc(&tcp_sock_cache, GFP_ATOMIC);
	if (!sk)
		return NULL;
	memset(sk, 0, sizeof(struct tcp_sock));
	sk->__sk_common.skc_family = AF_INET;
	sk->__sk_common.skc_state = TCP_CLOSE;
	sk->__sk_common.skc_net.net = &init_net;
	sk->__sk_common.skc_cookie.counter = __atomic_add_fetch(&socket_cookies, 1, __ATOMIC_SEQ_CST);
	sk->sk_protocol = IPPROTO_TCP;
	sk->sk_type = SOCK_STREAM;
	atomic_set(&sk->__sk_common.skc_refcnt, 1);
	INIT_LIST_HEAD(&sk->__sk_common.skc_node);
	INIT_LIST_HEAD(&sk->accept_queue);
	INIT_LIST_HEAD(&sk->accept_node);
	skb_queue_head_init(&sk->sk_receive_queue);
	skb_queue_head_init(&sk->sk_write_queue);
	skb_queue_head_init(&sk->sk_backlog);
	init_waitqueue_head(&sk->sk_wq);
	init_waitqueue_head(&sk->sk_lock_wq);
	sk->sk_rcvbuf = sk->sk_sndbuf = 65536;
	tcp_init_sock(sk);
	return sk;
}

void sk_free(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
	skb_queue_purge(&sk->sk_write_queue);
	skb_queue_purge(&sk->sk_backlog);
	kmem_cache_free(&tcp_sock_cache, sk);
}

void sock_hold(struct sock *sk) { atomic_inc(&sk->__sk_common.skc_refcnt); }

void sock_put(struct sock *sk)
{
	if (atomic_dec_and_test(&sk->__sk_common.skc_refcnt))
		sk_free(sk);
}

void sock_def_readable(struct sock *sk) { wake_up_all(&sk->sk_wq); }

/* True if the caller has the socket now. */
bool try_lock_sock(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock);
	bool free = !sk->sk_lock_owned;
	sk->sk_lock_owned = 1;
	_raw_spin_unlock_irqrestore(&sk->sk_lock, flags);
	return free;
}

/* A task takes the socket: packets that come meanwhile are kept for it. */
void lock_sock(struct sock *sk)
{
	if (!try_lock_sock(sk))
		wait_event(&sk->sk_lock_wq, try_lock_sock(sk));
}

void release_sock(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock);
	struct sk_buff *skb;
	while ((skb = skb_dequeue(&sk->sk_backlog))) {
		_raw_spin_unlock_irqrestore(&sk->sk_lock, flags);
		tcp_v4_do_rcv(sk, skb);
		flags = _raw_spin_lock_irqsave(&sk->sk_lock);
	}
	sk->sk_lock_owned = 0;
	_raw_spin_unlock_irqrestore(&sk->sk_lock, flags);
	wake_up(&sk->sk_lock_wq);
}

void inet_hash(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	if (list_empty(&sk->__sk_common.skc_node)) {
		sock_hold(sk);
		list_add(&sk->__sk_common.skc_node, &tcp_hashinfo.list);
	}
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
}

void inet_unhash(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	bool hashed = !list_empty(&sk->__sk_common.skc_node);
	if (hashed)
		list_del_init(&sk->__sk_common.skc_node);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	if (hashed)
		sock_put(sk);
}

/* The connection between the two ports, else who listens on dport; with a reference. */
struct sock *__inet_lookup(__be32 saddr, __be16 sport, __be32 daddr, u16 dport)
{
	struct sock *listener = NULL, *found = NULL;
	struct list_head *pos;
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	list_for_each(pos, &tcp_hashinfo.list) {
		struct sock *sk = list_entry(pos, struct sock, __sk_common.skc_node);
		const struct sock_common *c = &sk->__sk_common;
		if (c->skc_num != dport)
			continue;
		if (c->skc_state == TCP_LISTEN && !sk->sk_listener)
			listener = sk;
		else if (c->skc_dport == sport && c->skc_daddr == saddr && c->skc_rcv_saddr == daddr)
			found = sk;
	}
	if (!found)
		found = listener;
	if (found)
		sock_hold(found);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	return found;
}

int inet_csk_get_port(struct sock *sk, u16 port)
{
	struct sock *other;
	if (!port)
		port = (u16)(32768 + __atomic_fetch_add(&tcp_hashinfo.next_port, 1, __ATOMIC_SEQ_CST) % 28232);
	other = __inet_lookup(0, 0, 0, port);
	if (other) {
		sock_put(other);
		return -EADDRINUSE;
	}
	sk->__sk_common.skc_num = port;
	inet_sk(sk)->inet_sport = swab16(port);
	return 0;
}
