/* TCP as the sockets see it: send, receive, close. */
#include "net.h"
#include "poll.h"

static volatile long tcp_memory_allocated;
static long sysctl_tcp_mem[3];
static struct kmem_cache tcp_slab, tcpv6_slab;

struct proto tcp_prot = {
	.name = "TCP",
	.close = tcp_close,
	.connect = tcp_v4_connect,
	.accept = inet_csk_accept,
	.get_port = inet_csk_get_port,
	.memory_allocated = &tcp_memory_allocated,
	.sysctl_mem = sysctl_tcp_mem,
	.slab = &tcp_slab,
};

struct proto tcpv6_prot = {
	.name = "TCPv6",
	.close = tcp_close,
	.connect = tcp_v6_connect,
	.accept = inet_csk_accept,
	.get_port = inet_csk_get_port,
	.memory_allocated = &tcp_memory_allocated,
	.sysctl_mem = sysctl_tcp_mem,
	.slab = &tcpv6_slab,
};

/* A sixteenth of the pages that are free as the machine starts may be TCP's before there is pressure. */
void tcp_init_mem(void)
{
	long limit = max((long)(nr_free_buffer_pages() / 16), 128L);
	sysctl_tcp_mem[0] = limit / 4 * 3;
	sysctl_tcp_mem[1] = limit;
	sysctl_tcp_mem[2] = sysctl_tcp_mem[0] * 2;
}

void tcp_init(void)
{
	inet_hashinfo_init();
	request_sock_init();
	inet_twsk_init();
	tcp_init_mem();
	kmem_cache_create(&tcp_slab, tcp_prot.name, sizeof(struct tcp_sock));
	kmem_cache_create(&tcpv6_slab, tcpv6_prot.name, sizeof(struct tcp6_sock));
}

void tcp_init_sock(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	sk->sk_protocol = IPPROTO_TCP;
	sk->sk_type = SOCK_STREAM;
	sk->sk_rcvbuf = 131072;
	sk->sk_sndbuf = 87040;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_ssthresh = 0x7fffffff;
	tp->mss_cache = TCP_MSS;
	skb_queue_head_init(&tp->out_of_order_queue);
	INIT_LIST_HEAD(&inet_csk(sk)->icsk_accept_queue.rskq_accept);
	inet_csk(sk)->icsk_af_ops = sk->__sk_common.skc_family == AF_INET ? &ipv4_specific : &ipv6_specific;
	inet_csk(sk)->icsk_rto = (u32)msecs_to_jiffies(TCP_TIMEOUT_INIT_MS);
	tcp_init_xmit_timers(sk);
}

void tcp_set_state(struct sock *sk, int state)
{
	int oldstate = sk->__sk_common.skc_state;
	if (state == TCP_CLOSE) {
		inet_unhash(sk);
		if (inet_csk(sk)->icsk_bind_hash && !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
			inet_put_port(sk);
	}
	journal(J_SOCK_STATE, (u64)sk, (u64)oldstate, (u64)state, 0);
	trace(inet_sock_set_state, sk, oldstate, state);
	WRITE_ONCE(sk->__sk_common.skc_state, (unsigned char)state);
}

/* Bytes that were not sent, or not acknowledged, will not be. */
void tcp_write_queue_purge(struct sock *sk)
{
	struct sk_buff *skb;
	while ((skb = skb_dequeue(&sk->tcp_rtx_queue)) || (skb = skb_dequeue(&sk->sk_write_queue))) {
		sk->sk_wmem_queued -= (int)skb->truesize;
		sk_mem_uncharge(sk, (int)skb->truesize);
		__kfree_skb(skb);
	}
	tcp_sk(sk)->packets_out = 0;
}

void tcp_v4_destroy_sock(struct sock *sk)
{
	journal(J_TCP_DESTROY, (u64)sk, 0, 0, 0);
	trace(tcp_destroy_sock, sk);
	inet_csk_clear_xmit_timer(sk);
	tcp_write_queue_purge(sk);
	skb_queue_purge(&tcp_sk(sk)->out_of_order_queue);
	inet_put_port(sk);
}

/* The connection is over; what waits for it is told. */
void tcp_done(struct sock *sk)
{
	tcp_set_state(sk, TCP_CLOSE);
	inet_csk_clear_xmit_timer(sk);
	sk->sk_shutdown = SHUTDOWN_MASK;
	if (sock_flag(sk, SOCK_DEAD))
		inet_csk_destroy_sock(sk);
	else
		sock_def_wakeup(sk);
}

/* A segment of the caller's bytes at the end of the stream. */
long tcp_append(struct sock *sk, const char *data, size_t size)
{
	struct sk_buff *skb = alloc_skb((unsigned int)size, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	if (!sk_wmem_schedule(sk, (int)skb->truesize)) {
		__kfree_skb(skb);
		return -EAGAIN;
	}
	if (_copy_from_user(skb_put(skb, (unsigned int)size), data, size)) {
		__kfree_skb(skb);
		return -EFAULT;
	}
	TCP_SKB_CB(skb)->tcp_flags = TCPHDR_ACK | TCPHDR_PSH;
	tcp_queue_skb(sk, skb);
	return (long)size;
}

/* 0 if bytes may be sent now; waits for room. */
long tcp_wait_to_send(struct sock *sk)
{
	for (;;) {
		unsigned char state = sk->__sk_common.skc_state;
		int error;
		if (sk->sk_err)
			return -sk->sk_err;
		if (sk->sk_shutdown & SEND_SHUTDOWN || (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT))
			return -EPIPE;
		if (sk->sk_wmem_queued < sk->sk_sndbuf)
			return 0;
		error = sk_stream_wait_memory(sk);
		if (error)
			return error;
	}
}

/* Where the protocol has no memory, the writer tries again a tick later. */
long tcp_wait_for_memory(struct sock *sk)
{
	release_sock(sk);
	set_current_state(TASK_INTERRUPTIBLE);
	schedule_timeout(2);
	lock_sock(sk);
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

int tcp_sendmsg_locked(struct sock *sk, const char *data, size_t size)
{
	int total = 0;
	while (size) {
		long sent = tcp_wait_to_send(sk);
		if (!sent)
			sent = tcp_append(sk, data, min(size, (size_t)tcp_current_mss(sk)));
		if (sent == -EAGAIN && !(sent = tcp_wait_for_memory(sk)))
			continue;
		if (sent < 0)
			return total ? total : (int)sent;
		tcp_push_pending_frames(sk);
		data += sent;
		size -= (size_t)sent;
		total += (int)sent;
	}
	return total;
}

int tcp_sendmsg(struct sock *sk, const char *data, size_t size)
{
	int ret;
	lock_sock(sk);
	ret = tcp_sendmsg_locked(sk, data, size);
	release_sock(sk);
	return ret;
}

/* The reader has taken `copied` bytes: the other end is told of the room if that doubles what it knows of. */
void tcp_cleanup_rbuf(struct sock *sk, int copied)
{
	u32 now = tcp_receive_window(tcp_sk(sk));
	if (copied <= 0 || sk->sk_shutdown & RCV_SHUTDOWN || sk->__sk_common.skc_state == TCP_CLOSE)
		return;
	if (2 * now <= tcp_sk(sk)->window_clamp) {
		u32 window = __tcp_select_window(sk);
		if (window && window >= 2 * now) {
			journal(J_TCP_WINDOW, (u64)sk, now, window, 0);
			tcp_send_ack(sk);
		}
	}
}

/* Whether a read would not wait. */
bool tcp_readable(const struct sock *sk)
{
	return skb_peek(&sk->sk_receive_queue) || sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_err || sk->__sk_common.skc_state == TCP_CLOSE;
}

/* What sk_stream_write_space wakes for. */
bool sk_stream_is_writeable(const struct sock *sk) { return sk->sk_wmem_queued * 3 < sk->sk_sndbuf * 2; }

__poll_t tcp_poll(struct file *file, struct sock *sk, struct poll_table_struct *wait)
{
	unsigned char state = sk->__sk_common.skc_state;
	__poll_t mask = 0;
	poll_wait(file, &sk->sk_wq, wait);
	if (state == TCP_LISTEN)
		return list_empty(&inet_csk(sk)->icsk_accept_queue.rskq_accept) ? 0 : EPOLLIN | EPOLLRDNORM;
	if (state == TCP_CLOSE || sk->sk_shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (tcp_readable(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV && (sk_stream_is_writeable(sk) || sk->sk_shutdown & SEND_SHUTDOWN))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return sk->sk_err ? mask | EPOLLERR : mask;
}

void tcp_rcv_space_adjust(struct sock *sk)
{
	journal(J_TCP_SPACE, (u64)sk, tcp_sk(sk)->copied_seq, 0, 0);
	trace(tcp_rcv_space_adjust, sk);
}

/* Bytes of the first packet that waits; it is freed when all of it was read. */
long tcp_recv_skb(struct sock *sk, struct sk_buff *skb, char *data, size_t size)
{
	u32 offset = tcp_sk(sk)->copied_seq - TCP_SKB_CB(skb)->seq;
	size_t bytes = min(size, (size_t)(skb->len - offset));
	unsigned long left;
	trace(skb_copy_datagram_iovec, skb, (int)bytes);
	left = _copy_to_user(data, skb->data + offset, bytes);
	bytes -= left;
	tcp_sk(sk)->copied_seq += (u32)bytes;
	if (offset + bytes == skb->len) {
		skb_unlink(skb, &sk->sk_receive_queue);
		__kfree_skb(skb);
	}
	return left && !bytes ? -EFAULT : (long)bytes;
}

/* What the call answers where no bytes are left: an error, the end of the stream, or 1 to wait. */
long tcp_recv_end(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	if (sk->sk_err)
		return -sk->sk_err;
	if (sk->sk_shutdown & RCV_SHUTDOWN || sock_flag(sk, SOCK_DONE))
		return 0;
	if (state == TCP_CLOSE || state == TCP_LISTEN)
		return -ENOTCONN;
	return 1;
}

int tcp_recvmsg_locked(struct sock *sk, char *data, size_t size)
{
	long copied = 0, bytes, error;
	while (size) {
		struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
		if (skb) {
			bytes = tcp_recv_skb(sk, skb, data, size);
			if (bytes < 0) {
				copied = copied ? copied : bytes;
				break;
			}
			tcp_rcv_space_adjust(sk);
			copied += bytes;
			data += bytes;
			size -= (size_t)bytes;
			continue;
		}
		if (copied)
			break;
		error = tcp_recv_end(sk);
		if (error == 1)
			error = sk_wait_data(sk);
		else
			return (int)error;
		if (error)
			return (int)error;
	}
	tcp_cleanup_rbuf(sk, (int)copied);
	return (int)copied;
}

int tcp_recvmsg(struct sock *sk, char *data, size_t size)
{
	int ret;
	lock_sock(sk);
	ret = tcp_recvmsg_locked(sk, data, size);
	release_sock(sk);
	return ret;
}

/* The state that our FIN leads to; true if there is one to send. */
bool tcp_close_state(struct sock *sk)
{
	switch (sk->__sk_common.skc_state) {
	case TCP_ESTABLISHED:
	case TCP_SYN_RECV:
		tcp_set_state(sk, TCP_FIN_WAIT1);
		return true;
	case TCP_CLOSE_WAIT:
		tcp_set_state(sk, TCP_LAST_ACK);
		return true;
	case TCP_SYN_SENT:
		tcp_set_state(sk, TCP_CLOSE);
		return false;
	default:
		return false;
	}
}

/* Our end sends no more. The socket is locked. */
void tcp_shutdown(struct sock *sk, int how)
{
	if ((how & SEND_SHUTDOWN) && tcp_close_state(sk))
		tcp_send_fin(sk);
}

/* Bytes that nobody will read any more. */
u32 tcp_drop_unread(struct sock *sk)
{
	struct sk_buff *skb;
	u32 unread = 0;
	while ((skb = skb_dequeue(&sk->sk_receive_queue))) {
		unread += TCP_SKB_CB(skb)->end_seq - TCP_SKB_CB(skb)->seq;
		__kfree_skb(skb);
	}
	return unread;
}

/* What our end does when it closes, by the state it is in. */
void tcp_close_connection(struct sock *sk)
{
	u32 unread = tcp_drop_unread(sk);
	if (sk->__sk_common.skc_state == TCP_CLOSE)
		return;
	if (unread) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk, GFP_KERNEL);
	} else if (tcp_close_state(sk)) {
		tcp_send_fin(sk);
	}
}

/* The socket is locked. The network may go on with it until the other end has closed too. */
void __tcp_close(struct sock *sk, long timeout)
{
	(void)timeout;
	sk->sk_shutdown = SHUTDOWN_MASK;
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		tcp_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else {
		tcp_close_connection(sk);
	}
	sk->sk_socket = NULL;
	__release_sock(sk);
	sock_set_flag(sk, SOCK_DEAD);
	if (sk->__sk_common.skc_state == TCP_FIN_WAIT2)
		tcp_time_wait(sk, TCP_FIN_WAIT2, msecs_to_jiffies(TCP_TIMEWAIT_LEN_MS));
	else if (sk->__sk_common.skc_state == TCP_CLOSE)
		inet_csk_destroy_sock(sk);
}

void tcp_close(struct sock *sk, long timeout)
{
	sock_hold(sk);
	journal_sock(J_TCP_CLOSE, sk, pid_tgid(current), (u64)sk, sk->__sk_common.skc_state, 0);
	lock_sock(sk);
	__tcp_close(sk, timeout);
	release_sock(sk);
	sock_put(sk);
}
