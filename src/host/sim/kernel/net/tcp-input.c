/* TCP as packets see it. Runs in the softirq, so what it sends is received after it is done. */
#include "net.h"
#include "uapi.h"

#define TIME_WAIT_TICKS 20

void sock_def_readable(struct sock *sk) { wake_up_all(&sk->sk_wq); }

void tcp_done(struct sock *sk)
{
	tcp_set_state(sk, TCP_CLOSE);
	sk->sk_shutdown = 3;
	sock_def_readable(sk);
}

void tcp_time_wait_expire(struct timer_list *timer)
{
	struct sock *sk = container_of(timer, struct sock, sk_timer);
	tcp_done(sk);
	sock_put(sk);
}

/* The connection is over, but its ports stay taken for a while. */
void tcp_time_wait(struct sock *sk)
{
	tcp_set_state(sk, TCP_TIME_WAIT);
	sock_hold(sk);
	timer_setup(&sk->sk_timer, tcp_time_wait_expire);
	mod_timer(&sk->sk_timer, jiffies + TIME_WAIT_TICKS);
}

/* A packet to a port where nobody is. */
void tcp_v4_send_reset(const struct sk_buff *skb)
{
	struct sk_buff *reply;
	if (skb->tcp_flags & TCPHDR_RST)
		return;
	reply = alloc_skb(0, GFP_ATOMIC);
	if (!reply)
		return;
	reply->tcp_flags = TCPHDR_RST;
	reply->source = skb->dest;
	reply->dest = skb->source;
	reply->saddr = skb->daddr;
	reply->daddr = skb->saddr;
	ip_queue_xmit(reply);
}

/* SYN to a listener: the socket of the connection to be. */
void tcp_conn_request(struct sock *listener, const struct sk_buff *skb)
{
	struct sock *child;
	if (listener->sk_ack_backlog >= listener->sk_max_ack_backlog) {
		tcp_v4_send_reset(skb);
		return;
	}
	child = sk_alloc();
	if (!child)
		return;
	child->__sk_common.skc_num = swab16(skb->dest);
	child->__sk_common.skc_dport = skb->source;
	child->__sk_common.skc_daddr = skb->saddr;
	child->__sk_common.skc_rcv_saddr = skb->daddr;
	child->sk_listener = listener;
	sock_hold(listener);
	tcp_set_state(child, TCP_SYN_RECV);
	inet_hash(child);
	tcp_transmit_skb(child, TCPHDR_SYN | TCPHDR_ACK, NULL, 0);
}

/* The third packet of the handshake: the listener may hand the child out. */
void inet_csk_complete_hashdance(struct sock *child)
{
	struct sock *listener = child->sk_listener;
	u64 flags;
	tcp_set_state(child, TCP_ESTABLISHED);
	flags = _raw_spin_lock_irqsave(&listener->sk_lock);
	list_add_tail(&child->accept_node, &listener->accept_queue);
	listener->sk_ack_backlog++;
	_raw_spin_unlock_irqrestore(&listener->sk_lock, flags);
	sock_def_readable(listener);
	child->sk_listener = NULL;
	sock_put(listener);
}

void tcp_rcv_synsent_state_process(struct sock *sk, const struct sk_buff *skb)
{
	if (skb->tcp_flags & TCPHDR_RST) {
		sk->sk_err = ECONNREFUSED;
		tcp_done(sk);
		return;
	}
	if ((skb->tcp_flags & (TCPHDR_SYN | TCPHDR_ACK)) != (TCPHDR_SYN | TCPHDR_ACK))
		return;
	tcp_set_state(sk, TCP_ESTABLISHED);
	tcp_transmit_skb(sk, TCPHDR_ACK, NULL, 0);
	sock_def_readable(sk);
}

/* True if the packet was kept. */
bool tcp_queue_rcv(struct sock *sk, struct sk_buff *skb)
{
	u64 flags;
	if (!skb->len)
		return false;
	flags = _raw_spin_lock_irqsave(&sk->sk_receive_queue.lock);
	list_add_tail(&skb->list, &sk->sk_receive_queue.list);
	sk->sk_receive_queue.qlen++;
	sk->bytes_received += skb->len;
	sk->rcv_nxt = skb->seq + skb->len;
	_raw_spin_unlock_irqrestore(&sk->sk_receive_queue.lock, flags);
	sock_def_readable(sk);
	return true;
}

bool tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	if (skb->tcp_flags & TCPHDR_RST) {
		tcp_done(sk);
		return false;
	}
	return tcp_queue_rcv(sk, skb);
}

/* The other end has closed. */
void tcp_fin(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	sk->sk_shutdown |= 1;
	tcp_transmit_skb(sk, TCPHDR_ACK, NULL, 0);
	if (state == TCP_ESTABLISHED)
		tcp_set_state(sk, TCP_CLOSE_WAIT);
	else if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2)
		tcp_time_wait(sk);
	sock_def_readable(sk);
}

/* Every state that is not plain data transfer. True if the packet was kept. */
bool tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	u8 flags = skb->tcp_flags;
	bool kept = false;
	if (state == TCP_SYN_SENT) {
		tcp_rcv_synsent_state_process(sk, skb);
		return false;
	}
	if (state == TCP_SYN_RECV && (flags & TCPHDR_ACK))
		inet_csk_complete_hashdance(sk);
	else if (state == TCP_LAST_ACK && (flags & TCPHDR_ACK))
		tcp_done(sk);
	else if (state == TCP_FIN_WAIT1 && (flags & (TCPHDR_ACK | TCPHDR_FIN)) == TCPHDR_ACK && !skb->len)
		tcp_set_state(sk, TCP_FIN_WAIT2);
	if (sk->__sk_common.skc_state == TCP_ESTABLISHED || sk->__sk_common.skc_state == TCP_FIN_WAIT2)
		kept = tcp_queue_rcv(sk, skb);
	if (flags & TCPHDR_FIN)
		tcp_fin(sk);
	return kept;
}

bool tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		if (skb->tcp_flags & TCPHDR_SYN)
			tcp_conn_request(sk, skb);
		return false;
	}
	if (sk->__sk_common.skc_state == TCP_ESTABLISHED && !(skb->tcp_flags & TCPHDR_FIN))
		return tcp_rcv_established(sk, skb);
	return tcp_rcv_state_process(sk, skb);
}

void tcp_v4_rcv(struct sk_buff *skb)
{
	struct sock *sk = __inet_lookup(skb->source, swab16(skb->dest));
	bool kept = false;
	if (!sk) {
		tcp_v4_send_reset(skb);
		kfree_skb(skb);
		return;
	}
	_raw_spin_lock(&sk->sk_lock);
	kept = tcp_v4_do_rcv(sk, skb);
	_raw_spin_unlock(&sk->sk_lock);
	if (!kept)
		kfree_skb(skb);
	sock_put(sk);
}
