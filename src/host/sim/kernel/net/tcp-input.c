/* TCP as packets see it. Runs in the softirq, or where a task gives a socket back that packets came for. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

#define NSEC_PER_USEC 1000L
#define NEW_SYN_RECV 12

void inet_csk_clear_xmit_timer(struct sock *sk);
void inet_csk_reset_xmit_timer(struct sock *sk);
void inet_csk_destroy_sock(struct sock *sk);
void tcp_send_control(struct sock *sk, u8 flags);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb);
unsigned long msecs_to_ticks(unsigned long ms);

void tcp_done(struct sock *sk)
{
	inet_csk_clear_xmit_timer(sk);
	tcp_set_state(sk, TCP_CLOSE);
	sk->sk_shutdown = 3;
	if (sk->sk_dead)
		inet_csk_destroy_sock(sk);
	else
		sock_def_readable(sk);
}

/* What went wrong is told to who waits. */
void sk_error_report(struct sock *sk)
{
	trace(inet_sk_error_report, sk);
	sock_def_readable(sk);
}

void tcp_write_err(struct sock *sk)
{
	sk->sk_err = ETIMEDOUT;
	sk_error_report(sk);
	tcp_done(sk);
}

void tcp_reset(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	(void)skb;
	journal(J_TCP_RESET, (u64)sk, 1, state, 0);
	trace(tcp_receive_reset, sk);
	sk->sk_err = state == TCP_SYN_SENT ? ECONNREFUSED : state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
	sock_hold(sk);
	tcp_done(sk);
	sk_error_report(sk);
	sock_put(sk);
}

/* The answer to a packet that belongs to no connection, or to none that can take it. */
void tcp_v4_send_reset(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);
	struct sk_buff *reply;
	struct tcphdr *rep;
	if (th->rst)
		return;
	reply = alloc_skb(0, GFP_ATOMIC);
	if (!reply)
		return;
	if (sk) {
		journal(J_TCP_RESET, (u64)sk, 0, sk->__sk_common.skc_state, 0);
		trace(tcp_send_reset, sk, skb);
	}
	rep = skb_push(reply, sizeof(*rep));
	memset(rep, 0, sizeof(*rep));
	reply->transport_header = (u16)(reply->data - reply->head);
	rep->source = th->dest;
	rep->dest = th->source;
	rep->doff = sizeof(*rep) / 4;
	rep->rst = 1;
	rep->ack = 1;
	rep->ack_seq = swab32(TCP_SKB_CB(skb)->end_seq);
	ip_queue_xmit(reply, iph->daddr, iph->saddr);
}

/* SYN to a listener: the socket of the connection to be, which nobody knows but the packets. */
void tcp_conn_request(struct sock *listener, const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct sock *child;
	if (listener->sk_ack_backlog >= listener->sk_max_ack_backlog) {
		tcp_v4_send_reset(listener, skb);
		return;
	}
	child = sk_alloc();
	if (!child)
		return;
	child->sk_dead = true;
	child->__sk_common.skc_state = NEW_SYN_RECV;
	child->__sk_common.skc_num = listener->__sk_common.skc_num;
	child->__sk_common.skc_dport = tcp_hdr(skb)->source;
	child->__sk_common.skc_daddr = iph->saddr;
	child->__sk_common.skc_rcv_saddr = iph->daddr;
	inet_sk(child)->inet_saddr = iph->daddr;
	inet_sk(child)->inet_sport = inet_sk(listener)->inet_sport;
	child->sk_listener = listener;
	sock_hold(listener);
	tcp_sk(child)->rcv_nxt = tcp_sk(child)->copied_seq = TCP_SKB_CB(skb)->end_seq;
	tcp_sk(child)->write_seq = tcp_sk(child)->snd_una = (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0);
	inet_hash(child);
	tcp_queue_skb(child, TCPHDR_SYN | TCPHDR_ACK, NULL, 0);
}

/* The third packet of the handshake makes the request a socket of its own. */
struct sock *tcp_v4_syn_recv_sock(struct sock *listener, struct sock *child)
{
	if (listener->__sk_common.skc_state != TCP_LISTEN)
		return NULL;
	child->__sk_common.skc_state = TCP_LISTEN;
	tcp_set_state(child, TCP_SYN_RECV);
	child->sk_dead = false;
	return child;
}

/* The listener may hand the child out. */
void inet_csk_complete_hashdance(struct sock *child)
{
	struct sock *listener = child->sk_listener;
	u64 flags;
	tcp_set_state(child, TCP_ESTABLISHED);
	child->sk_listener = NULL;
	flags = _raw_spin_lock_irqsave(&listener->accept_lock);
	list_add_tail(&child->accept_node, &listener->accept_queue);
	listener->sk_ack_backlog++;
	_raw_spin_unlock_irqrestore(&listener->accept_lock, flags);
	sock_def_readable(listener);
	sock_put(listener);
}

/* A new measurement of the round trip, in microseconds, and what it makes of the time-out. */
void tcp_rtt_estimator(struct sock *sk, long rtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	long m = rtt_us < 1 ? 1 : rtt_us;
	if (!tp->srtt_us) {
		tp->srtt_us = (u32)(m << 3);
		tp->mdev_us = (u32)(m << 1);
	} else {
		m -= (long)(tp->srtt_us >> 3);
		tp->srtt_us = (u32)((long)tp->srtt_us + m);
		if (m < 0)
			m = -m;
		tp->mdev_us = (u32)((long)tp->mdev_us + m - (long)(tp->mdev_us >> 2));
	}
	inet_csk(sk)->icsk_rto = (u32)msecs_to_ticks(max(200u, ((tp->srtt_us >> 3) + tp->mdev_us) / 1000));
}

/* Takes acknowledged segments off the queue. */
void tcp_clean_rtx_queue(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	while (!list_empty(&sk->sk_write_queue.list)) {
		struct sk_buff *skb = list_first_entry(&sk->sk_write_queue.list, struct sk_buff, list);
		if (after(TCP_SKB_CB(skb)->end_seq, tp->snd_una))
			break;
		if (!TCP_SKB_CB(skb)->sacked)
			tcp_rtt_estimator(sk, (ktime_get() - TCP_SKB_CB(skb)->sent_at) / NSEC_PER_USEC);
		__kfree_skb(skb_dequeue(&sk->sk_write_queue));
	}
}

/* True if the acknowledgement is of something that was sent. */
bool tcp_ack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ack = TCP_SKB_CB(skb)->ack_seq;
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACK) || after(ack, tp->snd_nxt))
		return false;
	if (!after(ack, tp->snd_una))
		return true;
	tp->bytes_acked += ack - tp->snd_una;
	tp->snd_una = ack;
	inet_csk(sk)->icsk_retransmits = inet_csk(sk)->icsk_backoff = 0;
	tcp_clean_rtx_queue(sk);
	if (tp->snd_cwnd < 1000)
		tp->snd_cwnd++;
	if (list_empty(&sk->sk_write_queue.list))
		inet_csk_clear_xmit_timer(sk);
	else
		inet_csk_reset_xmit_timer(sk);
	return true;
}

/* The other end has closed. */
void tcp_fin(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	sk->sk_shutdown |= 1;
	if (state == TCP_ESTABLISHED || state == TCP_SYN_RECV) {
		tcp_set_state(sk, TCP_CLOSE_WAIT);
	} else if (state == TCP_FIN_WAIT1) {
		tcp_send_ack(sk);
		tcp_set_state(sk, TCP_CLOSING);
	} else if (state == TCP_FIN_WAIT2) {
		tcp_send_ack(sk);
		tcp_done(sk);
	}
}

/* A segment at its place is kept; one that comes again or too early is acknowledged as it is. Takes the packet. */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool fin = (cb->tcp_flags & TCPHDR_FIN) != 0;
	if (cb->seq == cb->end_seq) {
		__kfree_skb(skb);
		return;
	}
	if (cb->seq != tp->rcv_nxt) {
		bool old = before(cb->seq, tp->rcv_nxt);
		atomic_inc(&sk->sk_drops);
		kfree_skb_reason(skb, old ? SKB_DROP_REASON_TCP_OLD_DATA : SKB_DROP_REASON_TCP_OFO_DROP);
		tcp_send_ack(sk);
		return;
	}
	tp->rcv_nxt = cb->end_seq;
	if (skb->len) {
		tp->data_segs_in++;
		tp->bytes_received += skb->len;
		skb_queue_tail(&sk->sk_receive_queue, skb);
		tcp_send_ack(sk);
	} else {
		__kfree_skb(skb);
	}
	if (fin)
		tcp_fin(sk);
	sock_def_readable(sk);
}

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	trace(tcp_probe, sk, skb);
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST) {
		tcp_reset(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
		return;
	}
	tcp_ack(sk, skb);
	tcp_data_queue(sk, skb);
}

void tcp_finish_connect(struct sock *sk, const struct sk_buff *skb)
{
	tcp_sk(sk)->rcv_nxt = tcp_sk(sk)->copied_seq = TCP_SKB_CB(skb)->end_seq;
	tcp_set_state(sk, TCP_ESTABLISHED);
}

void tcp_rcv_synsent_state_process(struct sock *sk, struct sk_buff *skb)
{
	u8 flags = TCP_SKB_CB(skb)->tcp_flags;
	if (flags & TCPHDR_RST) {
		tcp_reset(sk, skb);
	} else if ((flags & (TCPHDR_SYN | TCPHDR_ACK)) == (TCPHDR_SYN | TCPHDR_ACK) && tcp_ack(sk, skb)) {
		tcp_finish_connect(sk, skb);
		tcp_send_ack(sk);
		sock_def_readable(sk);
	}
	__kfree_skb(skb);
}

/* The request's own packets: our SYN once more, or what completes the handshake. False: the packet is gone. */
bool tcp_check_req(struct sock *child, struct sk_buff *skb)
{
	u8 flags = TCP_SKB_CB(skb)->tcp_flags;
	if ((flags & TCPHDR_SYN) && !list_empty(&child->sk_write_queue.list)) {
		tcp_retransmit_skb(child, list_first_entry(&child->sk_write_queue.list, struct sk_buff, list));
	} else if ((flags & TCPHDR_ACK) && !(flags & TCPHDR_RST) && tcp_ack(child, skb)) {
		if (tcp_v4_syn_recv_sock(child->sk_listener, child)) {
			inet_csk_complete_hashdance(child);
			return true;
		}
		tcp_v4_send_reset(child, skb);
		tcp_done(child);
	}
	__kfree_skb(skb);
	return false;
}

/* What the acknowledgement of our FIN, which has just come, leads to. */
void tcp_fin_acked(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	if (tcp_sk(sk)->snd_una != tcp_sk(sk)->write_seq)
		return;
	if (state == TCP_FIN_WAIT1)
		tcp_set_state(sk, TCP_FIN_WAIT2);
	else if (state == TCP_LAST_ACK || state == TCP_CLOSING)
		tcp_done(sk);
}

/* Every state that is not plain data transfer. Takes the packet. */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	unsigned char state = sk->__sk_common.skc_state;
	if (state == TCP_SYN_SENT) {
		tcp_rcv_synsent_state_process(sk, skb);
		return 0;
	}
	if (state == TCP_LISTEN) {
		if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN) {
			tcp_conn_request(sk, skb);
			consume_skb(skb);
			return 0;
		}
		tcp_v4_send_reset(sk, skb);
	}
	if (state == TCP_LISTEN || state == TCP_CLOSE) {
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_CLOSE);
		return 0;
	}
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST) {
		tcp_reset(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
		return 0;
	}
	if (tcp_ack(sk, skb))
		tcp_fin_acked(sk);
	tcp_data_queue(sk, skb);
	return 0;
}

/* The socket's lock is held, or a task has it. */
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	sock_hold(sk);
	tcp_sk(sk)->segs_in++;
	if (sk->__sk_common.skc_state == TCP_ESTABLISHED)
		tcp_rcv_established(sk, skb);
	else if (sk->__sk_common.skc_state != NEW_SYN_RECV || tcp_check_req(sk, skb))
		tcp_rcv_state_process(sk, skb);
	sock_put(sk);
	return 0;
}

void tcp_v4_fill_cb(struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	memset(cb, 0, sizeof(*cb));
	skb_pull(skb, sizeof(*th));
	cb->seq = swab32(th->seq);
	cb->end_seq = cb->seq + th->syn + th->fin + skb->len;
	cb->ack_seq = swab32(th->ack_seq);
	cb->tcp_flags = (u8)(th->fin | th->syn << 1 | th->rst << 2 | th->psh << 3 | th->ack << 4);
}

int tcp_v4_rcv(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct tcphdr *th = tcp_hdr(skb);
	struct sock *sk;
	tcp_v4_fill_cb(skb);
	sk = __inet_lookup(iph->saddr, th->source, iph->daddr, swab16(th->dest));
	if (!sk) {
		tcp_v4_send_reset(NULL, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET);
		return 0;
	}
	_raw_spin_lock(&sk->sk_lock);
	if (sk->sk_lock_owned)
		skb_queue_tail(&sk->sk_backlog, skb);
	else
		tcp_v4_do_rcv(sk, skb);
	_raw_spin_unlock(&sk->sk_lock);
	sock_put(sk);
	return 0;
}
