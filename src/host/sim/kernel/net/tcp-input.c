/* TCP as packets see it: every state and what leads from it. Runs in the softirq, or where a task gives a socket back. */
#include "net.h"

/* What was offered and is not used. */
u32 tcp_receive_window(const struct tcp_sock *tp)
{
	s32 window = (s32)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);
	return window < 0 ? 0 : (u32)window;
}

void tcp_reset(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	(void)skb;
	journal(J_TCP_RESET, (u64)sk, 1, state, 0);
	trace(tcp_receive_reset, sk);
	if (state == TCP_SYN_SENT)
		sk->sk_err = ECONNREFUSED;
	else if (state == TCP_CLOSE_WAIT)
		sk->sk_err = EPIPE;
	else if (state != TCP_CLOSE)
		sk->sk_err = ECONNRESET;
	sock_hold(sk);
	tcp_done(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	sock_put(sk);
}

/* SYN to a listener: a request, which nobody knows but the packets. With no room the packet is as good as lost. */
int tcp_conn_request(struct sock *sk, struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct request_sock *req;
	struct sock_common *c;
	if ((u32)atomic_read(&icsk->icsk_accept_queue.qlen) > sk->sk_max_ack_backlog || sk_acceptq_is_full(sk)) {
		atomic_inc(&sk->sk_drops);
		return 0;
	}
	req = inet_reqsk_alloc(sk);
	if (!req)
		return 0;
	c = &req->__req_common;
	c->skc_dport = tcp_hdr(skb)->source;
	if (skb->protocol == swab16(ETH_P_IPV6)) {
		c->skc_v6_daddr = ipv6_hdr(skb)->saddr;
		c->skc_v6_rcv_saddr = ipv6_hdr(skb)->daddr;
		c->skc_daddr = c->skc_rcv_saddr = LOOPBACK4_IPV6;
	} else {
		c->skc_daddr = ip_hdr(skb)->saddr;
		c->skc_rcv_saddr = ip_hdr(skb)->daddr;
		ipv6_addr_set_v4mapped(c->skc_daddr, &c->skc_v6_daddr);
		ipv6_addr_set_v4mapped(c->skc_rcv_saddr, &c->skc_v6_rcv_saddr);
	}
	tcp_rsk(req)->rcv_isn = TCP_SKB_CB(skb)->seq;
	tcp_rsk(req)->snt_isn = (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0);
	tcp_rsk(req)->snt_synack = ktime_get();
	inet_csk_reqsk_queue_hash_add(req);
	tcp_send_synack(sk, req);
	return 0;
}

/* Sends what may be sent, and an acknowledgement if that was none. */
void tcp_data_snd_check(struct sock *sk)
{
	tcp_push_pending_frames(sk);
	if (inet_csk(sk)->icsk_ack.pending)
		tcp_send_ack(sk);
}

/* Whether any of the packet lies in what was offered. */
bool tcp_sequence(const struct tcp_sock *tp, const struct tcp_skb_cb *cb)
{
	return !before(cb->end_seq, tp->rcv_wup) && !after(cb->seq, tp->rcv_nxt + tcp_receive_window(tp));
}

/* Tells the other end where this one is; what it sent is dropped. */
void tcp_send_challenge_ack(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	tcp_send_ack(sk);
	atomic_inc(&sk->sk_drops);
	kfree_skb_reason(skb, reason);
}

/* False: the packet is gone. */
bool tcp_validate_incoming(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_sock *tp = tcp_sk(sk);
	if (!tcp_sequence(tp, cb)) {
		if (cb->tcp_flags & TCPHDR_RST)
			kfree_skb_reason(skb, SKB_DROP_REASON_TCP_INVALID_SEQUENCE);
		else
			tcp_send_challenge_ack(sk, skb, SKB_DROP_REASON_TCP_INVALID_SEQUENCE);
		return false;
	}
	if (cb->tcp_flags & TCPHDR_RST) {
		if (cb->seq == tp->rcv_nxt) {
			tcp_reset(sk, skb);
			kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
		} else {
			tcp_send_challenge_ack(sk, skb, SKB_DROP_REASON_TCP_RESET);
		}
		return false;
	}
	if (cb->tcp_flags & TCPHDR_SYN) {
		tcp_send_challenge_ack(sk, skb, SKB_DROP_REASON_TCP_INVALID_SYN);
		return false;
	}
	return true;
}

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	trace(tcp_probe, sk, skb);
	if (!tcp_validate_incoming(sk, skb))
		return;
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACK)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_FLAGS);
		return;
	}
	if (tcp_ack(sk, skb) < 0) {
		tcp_send_challenge_ack(sk, skb, SKB_DROP_REASON_TCP_ACK_UNSENT_DATA);
		return;
	}
	tcp_data_queue(sk, skb);
	if (sk->__sk_common.skc_state != TCP_CLOSE)
		tcp_data_snd_check(sk);
}

void tcp_finish_connect(struct sock *sk, struct sk_buff *skb)
{
	(void)skb;
	tcp_set_state(sk, TCP_ESTABLISHED);
	sock_def_wakeup(sk);
}

/* 1 if the packet is to be answered with a reset; else it is gone. A SYN alone, of an end that connects to this one as this to it, is not taken. */
int tcp_rcv_synsent_state_process(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	if (!(cb->tcp_flags & TCPHDR_ACK)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	if (!after(cb->ack_seq, tp->snd_una) || after(cb->ack_seq, tp->snd_nxt))
		return 1;
	if (cb->tcp_flags & TCPHDR_RST) {
		tcp_reset(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
		return 0;
	}
	if (!(cb->tcp_flags & TCPHDR_SYN)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	tp->rcv_nxt = tp->rcv_wup = tp->copied_seq = cb->seq + 1;
	tcp_ack(sk, skb);
	tp->snd_wl1 = cb->seq;
	tp->max_window = tp->snd_wnd = swab16(tcp_hdr(skb)->window);
	tcp_finish_connect(sk, skb);
	tcp_send_ack(sk);
	__kfree_skb(skb);
	return 0;
}

/* A packet to a listener. 1: it is to be answered with a reset; else it is gone. */
int tcp_rcv_listen(struct sock *sk, struct sk_buff *skb)
{
	u8 flags = TCP_SKB_CB(skb)->tcp_flags;
	if (flags & TCPHDR_ACK)
		return 1;
	if (!(flags & TCPHDR_SYN) || flags & (TCPHDR_RST | TCPHDR_FIN)) {
		kfree_skb_reason(skb, flags & TCPHDR_RST ? SKB_DROP_REASON_TCP_RESET : SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	inet_csk(sk)->icsk_af_ops->conn_request(sk, skb);
	consume_skb(skb);
	return 0;
}

/* The third packet of the handshake. */
void tcp_rcv_synrecv(struct sock *sk, const struct sk_buff *skb)
{
	tcp_set_state(sk, TCP_ESTABLISHED);
	sock_def_wakeup(sk);
	tcp_sk(sk)->snd_wnd = swab16(tcp_hdr(skb)->window);
	tcp_sk(sk)->max_window = max(tcp_sk(sk)->max_window, tcp_sk(sk)->snd_wnd);
	tcp_sk(sk)->snd_wl1 = TCP_SKB_CB(skb)->seq;
}

/* What the acknowledgement of all that was sent, our FIN last, leads to. True: the packet is done with, and so is the socket. */
bool tcp_fin_acked(struct sock *sk, const struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	if (tcp_sk(sk)->snd_una != tcp_sk(sk)->write_seq)
		return false;
	if (state == TCP_FIN_WAIT1) {
		tcp_set_state(sk, TCP_FIN_WAIT2);
		if (!sock_flag(sk, SOCK_DEAD)) {
			sock_def_wakeup(sk);
			return false;
		}
		if (TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(skb)->seq)
			return false;
		tcp_time_wait(sk, TCP_FIN_WAIT2, msecs_to_jiffies(TCP_TIMEWAIT_LEN_MS));
		return true;
	}
	if (state == TCP_CLOSING) {
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
		return true;
	}
	if (state == TCP_LAST_ACK) {
		tcp_done(sk);
		return true;
	}
	return false;
}

/* Data for an end that reads no more. */
bool tcp_data_for_nobody(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool fin = (cb->tcp_flags & TCPHDR_FIN) != 0;
	return sk->sk_shutdown & RCV_SHUTDOWN && cb->end_seq != cb->seq && after(cb->end_seq - fin, tcp_sk(sk)->rcv_nxt);
}

/* Data, or a FIN, by the state. 1: to be answered with a reset. */
int tcp_rcv_state_data(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	bool receives = state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2;
	if (state != TCP_ESTABLISHED && tcp_data_for_nobody(sk, skb)) {
		tcp_reset(sk, skb);
		return 1;
	}
	if (receives) {
		tcp_data_queue(sk, skb);
	} else {
		if (TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(skb)->seq)
			inet_csk(sk)->icsk_ack.pending = 1;
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
	}
	if (sk->__sk_common.skc_state != TCP_CLOSE)
		tcp_data_snd_check(sk);
	return 0;
}

/* Every state that is not plain data transfer. 1: the packet is to be answered with a reset; else it is gone. */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	if (state == TCP_CLOSE) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_CLOSE);
		return 0;
	}
	if (state == TCP_LISTEN)
		return tcp_rcv_listen(sk, skb);
	if (state == TCP_SYN_SENT)
		return tcp_rcv_synsent_state_process(sk, skb);
	if (!tcp_validate_incoming(sk, skb))
		return 0;
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACK)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	if (tcp_ack(sk, skb) <= 0) {
		if (state == TCP_SYN_RECV)
			return 1;
		tcp_send_challenge_ack(sk, skb, SKB_DROP_REASON_TCP_OLD_ACK);
		return 0;
	}
	if (state == TCP_SYN_RECV)
		tcp_rcv_synrecv(sk, skb);
	if (tcp_fin_acked(sk, skb)) {
		__kfree_skb(skb);
		return 0;
	}
	return tcp_rcv_state_data(sk, skb);
}
