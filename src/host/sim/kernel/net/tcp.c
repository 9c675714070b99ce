/* TCP as the sockets see it: connect, send, receive, close. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

#define TCP_MSS 2048UL

struct inet_hashinfo {
	spinlock_t lock;
	struct list_head list;
	volatile u32 next_port;
} tcp_hashinfo;

static struct kmem_cache tcp_sock_cache;

void tcp_init(void)
{
	INIT_LIST_HEAD(&tcp_hashinfo.list);
	kmem_cache_create(&tcp_sock_cache, "TCP", sizeof(struct sock));
}

struct sock *sk_alloc(void)
{
	struct sock *sk = kmem_cache_alloc(&tcp_sock_cache, GFP_ATOMIC);
	if (!sk)
		return NULL;
	memset(sk, 0, sizeof(*sk));
	sk->__sk_common.skc_family = AF_INET;
	sk->__sk_common.skc_state = TCP_CLOSE;
	atomic_set(&sk->__sk_common.skc_refcnt, 1);
	INIT_LIST_HEAD(&sk->__sk_common.skc_node);
	INIT_LIST_HEAD(&sk->sk_receive_queue.list);
	INIT_LIST_HEAD(&sk->accept_queue);
	INIT_LIST_HEAD(&sk->accept_node);
	init_waitqueue_head(&sk->sk_wq);
	sk->sk_rcvbuf = sk->sk_sndbuf = 65536;
	return sk;
}

void sk_free(struct sock *sk)
{
	while (!list_empty(&sk->sk_receive_queue.list)) {
		struct sk_buff *skb = list_first_entry(&sk->sk_receive_queue.list, struct sk_buff, list);
		list_del_init(&skb->list);
		kfree_skb(skb);
	}
	kmem_cache_free(&tcp_sock_cache, sk);
}

void sock_hold(struct sock *sk) { atomic_inc(&sk->__sk_common.skc_refcnt); }

void sock_put(struct sock *sk)
{
	if (atomic_dec_and_test(&sk->__sk_common.skc_refcnt))
		sk_free(sk);
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
struct sock *__inet_lookup(__be16 sport, u16 dport)
{
	struct sock *listener = NULL, *found = NULL;
	struct list_head *pos;
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	list_for_each(pos, &tcp_hashinfo.list) {
		struct sock *sk = list_entry(pos, struct sock, __sk_common.skc_node);
		if (sk->__sk_common.skc_num != dport)
			continue;
		if (sk->__sk_common.skc_state == TCP_LISTEN)
			listener = sk;
		else if (sk->__sk_common.skc_dport == sport)
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
	other = __inet_lookup(0, port);
	if (other) {
		sock_put(other);
		return -EADDRINUSE;
	}
	sk->__sk_common.skc_num = port;
	return 0;
}

void tcp_set_state(struct sock *sk, int state)
{
	sk->__sk_common.skc_state = (unsigned char)state;
	if (state == TCP_CLOSE)
		inet_unhash(sk);
}

void tcp_transmit_skb(struct sock *sk, u8 flags, const void *data, size_t len)
{
	struct sk_buff *skb = alloc_skb((unsigned int)len, GFP_ATOMIC);
	if (!skb)
		return;
	if (len)
		memcpy(skb->data, data, len);
	skb->len = skb->data_len = (unsigned int)len;
	skb->tcp_flags = flags;
	skb->source = swab16(sk->__sk_common.skc_num);
	skb->dest = sk->__sk_common.skc_dport;
	skb->saddr = sk->__sk_common.skc_rcv_saddr;
	skb->daddr = sk->__sk_common.skc_daddr;
	skb->seq = sk->write_seq;
	sk->write_seq += (u32)len;
	ip_queue_xmit(skb);
}

int tcp_connect(struct sock *sk)
{
	if (sk->__sk_common.skc_state != TCP_SYN_SENT)
		return -EINVAL;
	sk->write_seq = (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0);
	tcp_transmit_skb(sk, TCPHDR_SYN, NULL, 0);
	return 0;
}

int tcp_v4_connect(struct sock *sk, struct sockaddr_in *uaddr, int addr_len)
{
	int error;
	if (addr_len < (int)sizeof(*uaddr) || uaddr->sin_family != AF_INET)
		return -EINVAL;
	if (!sk->__sk_common.skc_num) {
		error = inet_csk_get_port(sk, 0);
		if (error)
			return error;
	}
	sk->__sk_common.skc_daddr = uaddr->sin_addr;
	sk->__sk_common.skc_rcv_saddr = uaddr->sin_addr;
	sk->__sk_common.skc_dport = uaddr->sin_port;
	tcp_set_state(sk, TCP_SYN_SENT);
	inet_hash(sk);
	error = tcp_connect(sk);
	journal(J_TCP_CONNECT, pid_tgid(current), sk->__sk_common.skc_num, swab16(uaddr->sin_port), (u64)error);
	return error;
}

long tcp_push_one(struct sock *sk, const char *data, size_t size)
{
	char *copy = kmalloc(size, GFP_KERNEL);
	long ret = (long)size;
	if (!copy)
		return -ENOMEM;
	if (_copy_from_user(copy, data, size))
		ret = -EFAULT;
	else
		tcp_transmit_skb(sk, TCPHDR_ACK, copy, size);
	kfree(copy);
	return ret;
}

long tcp_sendmsg(struct sock *sk, const char *data, size_t size)
{
	long total = 0;
	while (size) {
		size_t bytes = min(size, TCP_MSS);
		unsigned char state = sk->__sk_common.skc_state;
		long sent;
		if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
			return total ? total : -EPIPE;
		sent = tcp_push_one(sk, data, bytes);
		if (sent < 0)
			return total ? total : sent;
		data += sent;
		size -= (size_t)sent;
		total += sent;
		sk->bytes_sent += (u64)sent;
	}
	return total;
}

bool tcp_readable(struct sock *sk)
{
	return !list_empty(&sk->sk_receive_queue.list) || sk->sk_shutdown || sk->sk_err ||
	       sk->__sk_common.skc_state == TCP_CLOSE;
}

struct sk_buff *skb_dequeue(struct sk_buff_head *queue);

/* What is left of a packet goes back to where it came from. */
void tcp_eat_recv_skb(struct sock *sk, struct sk_buff *skb)
{
	u64 flags;
	if (skb->consumed == skb->len) {
		kfree_skb(skb);
		return;
	}
	flags = _raw_spin_lock_irqsave(&sk->sk_receive_queue.lock);
	list_add(&skb->list, &sk->sk_receive_queue.list);
	sk->sk_receive_queue.qlen++;
	_raw_spin_unlock_irqrestore(&sk->sk_receive_queue.lock, flags);
}

/* Bytes of the first packet waiting, 0 at the end of the stream. */
long tcp_recvmsg(struct sock *sk, char *data, size_t size)
{
	struct sk_buff *skb;
	size_t bytes;
	unsigned long left;
	if (wait_event_interruptible(&sk->sk_wq, tcp_readable(sk)))
		return -ERESTARTSYS;
	skb = skb_dequeue(&sk->sk_receive_queue);
	if (!skb)
		return sk->sk_err ? -sk->sk_err : 0;
	bytes = min(size, (size_t)(skb->len - skb->consumed));
	left = _copy_to_user(data, skb->data + skb->consumed, bytes);
	bytes -= left;
	skb->consumed += (u32)bytes;
	tcp_eat_recv_skb(sk, skb);
	return left && !bytes ? -EFAULT : (long)bytes;
}

/* Connections nobody accepted go with the listener. */
void inet_csk_listen_stop(struct sock *sk)
{
	for (;;) {
		struct sock *child = NULL;
		u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock);
		if (!list_empty(&sk->accept_queue)) {
			child = list_first_entry(&sk->accept_queue, struct sock, accept_node);
			list_del_init(&child->accept_node);
			sk->sk_ack_backlog--;
		}
		_raw_spin_unlock_irqrestore(&sk->sk_lock, flags);
		if (!child)
			return;
		tcp_close(child);
	}
}

/* What our end says when it closes, by the state it is in; 0 if there is nobody to tell. */
u8 tcp_close_state(struct sock *sk)
{
	u64 flags = _raw_spin_lock_irqsave(&sk->sk_lock);
	unsigned char state = sk->__sk_common.skc_state;
	u8 say = 0;
	if (state == TCP_ESTABLISHED || state == TCP_SYN_RECV) {
		tcp_set_state(sk, TCP_FIN_WAIT1);
		say = TCPHDR_FIN | TCPHDR_ACK;
	} else if (state == TCP_CLOSE_WAIT) {
		tcp_set_state(sk, TCP_LAST_ACK);
		say = TCPHDR_FIN | TCPHDR_ACK;
	} else {
		tcp_set_state(sk, TCP_CLOSE);
	}
	_raw_spin_unlock_irqrestore(&sk->sk_lock, flags);
	return say;
}

void tcp_close(struct sock *sk)
{
	u8 say;
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		inet_csk_listen_stop(sk);
	say = tcp_close_state(sk);
	if (say)
		tcp_transmit_skb(sk, say, NULL, 0);
	sock_put(sk);
}
