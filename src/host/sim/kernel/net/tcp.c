/* TCP as the sockets see it: connect, send, receive, close. */
#include "journal.h"
#include "net.h"
#include "poll.h"
#include "uapi.h"

#define TCP_MSS 2048UL

int tcp_connect(struct sock *sk);
void inet_csk_clear_xmit_timer(struct sock *sk);
void tcp_send_active_reset(struct sock *sk);

void tcp_set_state(struct sock *sk, int state)
{
	int oldstate = sk->__sk_common.skc_state;
	if (state == TCP_CLOSE)
		inet_unhash(sk);
	journal(J_SOCK_STATE, (u64)sk, (u64)oldstate, (u64)state, 0);
	trace(inet_sock_set_state, sk, oldstate, state);
	sk->__sk_common.skc_state = (unsigned char)state;
}

/* Nobody has the socket any more, neither a task nor the network. */
void inet_csk_destroy_sock(struct sock *sk)
{
	if (sk->sk_destroyed)
		return;
	sk->sk_destroyed = true;
	inet_csk_clear_xmit_timer(sk);
	if (sk->sk_listener)
		sock_put(sk->sk_listener);
	sk->sk_listener = NULL;
	journal(J_TCP_DESTROY, (u64)sk, 0, 0, 0);
	trace(tcp_destroy_sock, sk);
	sock_put(sk);
}

int tcp_v4_connect(struct sock *sk, struct sockaddr_in *uaddr, int addr_len)
{
	int error = 0;
	if (addr_len < (int)sizeof(*uaddr) || uaddr->sin_family != AF_INET)
		return -EINVAL;
	sk->__sk_common.skc_daddr = uaddr->sin_addr;
	sk->__sk_common.skc_rcv_saddr = inet_sk(sk)->inet_saddr = uaddr->sin_addr;
	sk->__sk_common.skc_dport = uaddr->sin_port;
	tcp_set_state(sk, TCP_SYN_SENT);
	if (!sk->__sk_common.skc_num)
		error = inet_csk_get_port(sk, 0);
	if (!error) {
		inet_hash(sk);
		error = tcp_connect(sk);
	}
	if (error)
		tcp_set_state(sk, TCP_CLOSE);
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
	else if (tcp_queue_skb(sk, TCPHDR_ACK | TCPHDR_PSH, copy, size))
		ret = -ENOMEM;
	kfree(copy);
	return ret;
}

long tcp_sendmsg_locked(struct sock *sk, const char *data, size_t size)
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
	}
	return total;
}

long tcp_sendmsg(struct sock *sk, const char *data, size_t size)
{
	long ret;
	lock_sock(sk);
	ret = tcp_sendmsg_locked(sk, data, size);
	release_sock(sk);
	return ret;
}

bool tcp_readable(struct sock *sk)
{
	return !list_empty(&sk->sk_receive_queue.list) || sk->sk_shutdown || sk->sk_err ||
	       sk->__sk_common.skc_state == TCP_CLOSE;
}

/* Windows are not filled, so that a connection may always be written to. */
__poll_t tcp_poll(struct file *file, struct sock *sk, struct poll_table_struct *wait)
{
	unsigned char state = sk->__sk_common.skc_state;
	__poll_t mask = 0;
	poll_wait(file, &sk->sk_wq, wait);
	if (state == TCP_LISTEN)
		return list_empty(&sk->accept_queue) ? 0 : EPOLLIN | EPOLLRDNORM;
	if (state == TCP_CLOSE || sk->sk_shutdown == 3)
		mask |= EPOLLHUP;
	if (tcp_readable(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sk->sk_shutdown)
		mask |= EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return sk->sk_err ? mask | EPOLLERR : mask;
}

/* The reader has taken `copied` bytes. */
void tcp_cleanup_rbuf(struct sock *sk, int copied) { tcp_sk(sk)->copied_seq += (u32)copied; }

void tcp_rcv_space_adjust(struct sock *sk)
{
	journal(J_TCP_SPACE, (u64)sk, tcp_sk(sk)->copied_seq, 0, 0);
	trace(tcp_rcv_space_adjust, sk);
}

/* Bytes of a packet; what is left of it stays where it is. */
long skb_copy_datagram_iter(struct sock *sk, struct sk_buff *skb, char *data, size_t size)
{
	u32 *consumed = &TCP_SKB_CB(skb)->consumed;
	size_t bytes = min(size, (size_t)(skb->len - *consumed));
	unsigned long left;
	trace(skb_copy_datagram_iovec, skb, (int)bytes);
	left = _copy_to_user(data, skb->data + *consumed, bytes);
	bytes -= left;
	*consumed += (u32)bytes;
	if (*consumed == skb->len)
		__kfree_skb(skb_dequeue(&sk->sk_receive_queue));
	return left && !bytes ? -EFAULT : (long)bytes;
}

/* Bytes of the first packet waiting, 0 at the end of the stream. */
long tcp_recvmsg_locked(struct sock *sk, char *data, size_t size)
{
	long copied;
	while (!tcp_readable(sk)) {
		long error;
		release_sock(sk);
		error = wait_event_interruptible(&sk->sk_wq, tcp_readable(sk));
		lock_sock(sk);
		if (error)
			return error;
	}
	if (list_empty(&sk->sk_receive_queue.list))
		return sk->sk_err ? -sk->sk_err : 0;
	copied = skb_copy_datagram_iter(sk, list_first_entry(&sk->sk_receive_queue.list, struct sk_buff, list), data, size);
	if (copied > 0) {
		tcp_rcv_space_adjust(sk);
		tcp_cleanup_rbuf(sk, (int)copied);
	}
	return copied;
}

long tcp_recvmsg(struct sock *sk, char *data, size_t size)
{
	long ret;
	lock_sock(sk);
	ret = tcp_recvmsg_locked(sk, data, size);
	release_sock(sk);
	return ret;
}

struct sock *reqsk_queue_remove(struct sock *sk)
{
	struct sock *child = NULL;
	u64 flags = _raw_spin_lock_irqsave(&sk->accept_lock);
	if (!list_empty(&sk->accept_queue)) {
		child = list_first_entry(&sk->accept_queue, struct sock, accept_node);
		list_del_init(&child->accept_node);
		sk->sk_ack_backlog--;
	}
	_raw_spin_unlock_irqrestore(&sk->accept_lock, flags);
	return child;
}

/* Connections nobody accepted go with the listener. */
void inet_csk_listen_stop(struct sock *sk)
{
	struct sock *child;
	while ((child = reqsk_queue_remove(sk)))
		tcp_close(child);
}

/* What our end does when it closes, by the state it is in. The socket is locked. */
void __tcp_close(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	sk->sk_shutdown = 3;
	if ((state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT) && !list_empty(&sk->sk_receive_queue.list)) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk);
	} else if (state == TCP_ESTABLISHED || state == TCP_SYN_RECV) {
		tcp_set_state(sk, TCP_FIN_WAIT1);
		tcp_send_fin(sk);
	} else if (state == TCP_CLOSE_WAIT) {
		tcp_set_state(sk, TCP_LAST_ACK);
		tcp_send_fin(sk);
	} else if (state != TCP_CLOSE) {
		tcp_set_state(sk, TCP_CLOSE);
	}
}

void tcp_close(struct sock *sk)
{
	bool listener = sk->__sk_common.skc_state == TCP_LISTEN;
	sock_hold(sk);
	lock_sock(sk);
	__tcp_close(sk);
	sk->sk_dead = true;
	release_sock(sk);
	if (listener)
		inet_csk_listen_stop(sk);
	lock_sock(sk);
	if (sk->__sk_common.skc_state == TCP_CLOSE)
		inet_csk_destroy_sock(sk);
	release_sock(sk);
	sock_put(sk);
}
