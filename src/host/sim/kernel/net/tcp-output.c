/* What TCP sends: segments that are kept until they are acknowledged, and those that are not. */
#include "net.h"

/* Bytes of a segment: no more than half of what the other end ever had room for. */
u32 tcp_current_mss(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 bound = tp->max_window > 536 ? tp->max_window / 2 : tp->max_window;
	return bound ? min(tp->mss_cache, max(bound, 28u)) : tp->mss_cache;
}

/* Room that the reader of the socket has left for more, in bytes of data: half of what packets cost. */
int tcp_space(const struct sock *sk)
{
	return (sk->sk_rcvbuf - sk->sk_backlog.len - atomic_read(&sk->sk_rmem_alloc)) / 2;
}

/* The window there is room for now: whole segments, and none rather than a silly one. */
u32 __tcp_select_window(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int full = min(sk->sk_rcvbuf / 2, (int)tp->window_clamp);
	int mss = min((int)TCP_MSS, full);
	int room = tcp_space(sk);
	if (room < full / 2 && (room < full / 16 || room < mss))
		return 0;
	room = min(room, full);
	if ((int)tp->rcv_wnd <= room - mss || (int)tp->rcv_wnd > room)
		return (u32)(room / mss * mss);
	/* One segment is all there ever is room for: it need not be whole. */
	if (mss == full && room > (int)tp->rcv_wnd + full / 2)
		return (u32)room;
	return tp->rcv_wnd;
}

/* The window that a segment offers; what was offered once is not taken back. */
u16 tcp_select_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 current_window = tcp_receive_window(tp);
	u32 window = __tcp_select_window(sk);
	tp->rcv_wnd = min(max(window, current_window), TCP_MAX_WINDOW);
	tp->rcv_wup = tp->rcv_nxt;
	return (u16)tp->rcv_wnd;
}

void tcp_write_header(struct sk_buff *skb, __be16 source, __be16 dest, const struct tcp_reply *reply)
{
	struct tcphdr *th = skb_push(skb, sizeof(*th));
	memset(th, 0, sizeof(*th));
	skb->transport_header = (u16)(skb->data - skb->head);
	th->source = source;
	th->dest = dest;
	th->seq = swab32(reply->seq);
	th->ack_seq = reply->tcp_flags & TCPHDR_ACK ? swab32(reply->ack_seq) : 0;
	th->doff = sizeof(*th) / 4;
	th->fin = (reply->tcp_flags & TCPHDR_FIN) != 0;
	th->syn = (reply->tcp_flags & TCPHDR_SYN) != 0;
	th->rst = (reply->tcp_flags & TCPHDR_RST) != 0;
	th->psh = (reply->tcp_flags & TCPHDR_PSH) != 0;
	th->ack = (reply->tcp_flags & TCPHDR_ACK) != 0;
	th->window = swab16(reply->window);
}

/* Puts the header before the packet's data and sends it off, for good. */
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_reply header = { .seq = cb->seq, .tcp_flags = cb->tcp_flags };
	tp->segs_out++;
	if (skb->len) {
		tp->data_segs_out++;
		tp->bytes_sent += skb->len;
	}
	header.window = tcp_select_window(sk);
	header.ack_seq = tp->rcv_nxt;
	if (cb->tcp_flags & TCPHDR_ACK)
		inet_csk(sk)->icsk_ack.pending = 0;
	tcp_write_header(skb, inet_sk(sk)->inet_sport, sk->__sk_common.skc_dport, &header);
	return inet_csk(sk)->icsk_af_ops->queue_xmit(sk, skb);
}

/* Sends a copy of a segment that stays in the queue. */
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *copy;
	TCP_SKB_CB(skb)->sent_at = ktime_get();
	copy = skb_copy(skb, GFP_ATOMIC);
	return copy ? __tcp_transmit_skb(sk, copy) : -ENOMEM;
}

/* The segment takes its place in the stream. */
void tcp_queue_skb(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	cb->seq = tp->write_seq;
	cb->end_seq = cb->seq + skb->len + ((cb->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN)) != 0);
	tp->write_seq = cb->end_seq;
	skb->sk = sk;
	sk->sk_wmem_queued += (int)skb->truesize;
	sk_mem_charge(sk, (int)skb->truesize);
	skb_queue_tail(&sk->sk_write_queue, skb);
}

/* It was sent: it waits to be acknowledged. */
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool first = !tp->packets_out;
	tp->snd_nxt = TCP_SKB_CB(skb)->end_seq;
	skb_unlink(skb, &sk->sk_write_queue);
	skb_queue_tail(&sk->tcp_rtx_queue, skb);
	tp->packets_out++;
	if (first)
		tcp_rearm_rto(sk);
}

bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb)
{
	return !after(TCP_SKB_CB(skb)->end_seq, tp->snd_una + tp->snd_wnd);
}

/* Packets that are under way, as far as is known. */
u32 tcp_packets_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - min(tp->sacked_out, tp->packets_out);
}

/* Sends what the other end's window and the network's allow. */
void tcp_write_xmit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	while ((skb = skb_peek(&sk->sk_write_queue))) {
		if (tcp_packets_in_flight(tp) >= tp->snd_cwnd || !tcp_snd_wnd_test(tp, skb))
			break;
		tcp_event_new_data_sent(sk, skb);
		tcp_transmit_skb(sk, skb);
	}
}

void tcp_push_pending_frames(struct sock *sk)
{
	if (!skb_peek(&sk->sk_write_queue))
		return;
	tcp_write_xmit(sk);
	if (skb_peek(&sk->sk_write_queue) && !tcp_sk(sk)->packets_out && !inet_csk(sk)->icsk_pending)
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_when(sk));
}

/* A packet of no length in the stream: an acknowledgement or a reset. */
void tcp_send_control(struct sock *sk, u32 seq, u8 flags)
{
	struct sk_buff *skb = alloc_skb(0, GFP_ATOMIC);
	if (!skb)
		return;
	TCP_SKB_CB(skb)->seq = TCP_SKB_CB(skb)->end_seq = seq;
	TCP_SKB_CB(skb)->tcp_flags = flags;
	__tcp_transmit_skb(sk, skb);
}

void tcp_send_ack(struct sock *sk)
{
	if (sk->__sk_common.skc_state != TCP_CLOSE)
		tcp_send_control(sk, tcp_sk(sk)->snd_nxt, TCPHDR_ACK);
}

/* On the last segment that was not sent, if there is one. */
void tcp_send_fin(struct sock *sk)
{
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	if (skb) {
		skb = list_entry(sk->sk_write_queue.list.prev, struct sk_buff, list);
		TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_FIN;
		TCP_SKB_CB(skb)->end_seq++;
		tcp_sk(sk)->write_seq++;
	} else {
		skb = alloc_skb(0, GFP_ATOMIC);
		if (!skb)
			return;
		TCP_SKB_CB(skb)->tcp_flags = TCPHDR_FIN | TCPHDR_ACK;
		tcp_queue_skb(sk, skb);
	}
	tcp_push_pending_frames(sk);
}

/* Our end goes down with data that nobody read, or will read. */
void tcp_send_active_reset(struct sock *sk, gfp_t priority)
{
	(void)priority;
	journal(J_TCP_RESET, (u64)sk, 0, sk->__sk_common.skc_state, 0);
	trace(tcp_send_reset, sk, NULL);
	tcp_send_control(sk, tcp_sk(sk)->snd_nxt, TCPHDR_RST | TCPHDR_ACK);
}

int tcp_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	tp->rcv_wnd = 0;
	tp->window_clamp = min((u32)sk->sk_rcvbuf / 2, TCP_MAX_WINDOW);
	tp->write_seq = tp->snd_nxt = tp->snd_una = (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0);
	TCP_SKB_CB(skb)->tcp_flags = TCPHDR_SYN;
	tcp_queue_skb(sk, skb);
	tcp_event_new_data_sent(sk, skb);
	return tcp_transmit_skb(sk, skb);
}

/* Sends a segment again. */
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->sacked = 1;
	tcp_sk(sk)->total_retrans++;
	tcp_sk(sk)->bytes_retrans += skb->len;
	journal(J_TCP_RETRANSMIT, (u64)sk, sk->__sk_common.skc_state, TCP_SKB_CB(skb)->seq, 0);
	trace(tcp_retransmit_skb, sk, skb);
	return tcp_transmit_skb(sk, skb);
}

/* Splits a segment that was not sent: what is behind `len` bytes becomes one of its own. */
int tcp_fragment(struct sock *sk, struct sk_buff *skb, u32 len)
{
	struct sk_buff *rest = alloc_skb(skb->len - len, GFP_ATOMIC);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	if (!rest)
		return -ENOMEM;
	memcpy(skb_put(rest, skb->len - len), skb->data + len, skb->len - len);
	*TCP_SKB_CB(rest) = *cb;
	TCP_SKB_CB(rest)->seq = cb->end_seq = cb->seq + len;
	cb->tcp_flags &= (u8)~(TCPHDR_FIN | TCPHDR_PSH);
	skb_trim(skb, len);
	rest->sk = sk;
	sk->sk_wmem_queued += (int)rest->truesize;
	sk_mem_charge(sk, (int)rest->truesize);
	list_add(&rest->list, &skb->list);
	sk->sk_write_queue.qlen++;
	return 0;
}

/* As much of the next segment as the window has room for; with none, a segment that the other end has had, so that it answers. */
int tcp_write_wakeup(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	u32 end = tp->snd_una + tp->snd_wnd;
	if (!skb || !before(TCP_SKB_CB(skb)->seq, end)) {
		tcp_send_control(sk, tp->snd_una - 1, TCPHDR_ACK);
		return 0;
	}
	if (end - TCP_SKB_CB(skb)->seq < skb->len && tcp_fragment(sk, skb, end - TCP_SKB_CB(skb)->seq))
		return -ENOMEM;
	tcp_event_new_data_sent(sk, skb);
	tcp_transmit_skb(sk, skb);
	return 1;
}

/* Sends an answer to a packet from where the packet went. */
void tcp_send_reply(const struct sk_buff *to, const struct tcp_reply *reply)
{
	const struct tcphdr *th = tcp_hdr(to);
	struct sk_buff *skb = alloc_skb(0, GFP_ATOMIC);
	if (!skb)
		return;
	tcp_write_header(skb, th->dest, th->source, reply);
	if (to->protocol == swab16(ETH_P_IPV6))
		ip6_xmit(skb, &ipv6_hdr(to)->daddr, &ipv6_hdr(to)->saddr);
	else
		ip_queue_xmit(skb, ip_hdr(to)->daddr, ip_hdr(to)->saddr);
}

/* SYN and ACK of a request, to the addresses that it has. */
void tcp_send_synack(const struct sock *sk, struct request_sock *req)
{
	const struct sock_common *c = &req->__req_common;
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_reply header = { .seq = treq->snt_isn, .ack_seq = treq->rcv_isn + 1, .tcp_flags = TCPHDR_SYN | TCPHDR_ACK };
	struct sk_buff *skb = alloc_skb(0, GFP_ATOMIC);
	if (!skb)
		return;
	header.window = (u16)min((u32)sk->sk_rcvbuf / 2, TCP_MAX_WINDOW);
	tcp_write_header(skb, treq->ir_sport, c->skc_dport, &header);
	if (c->skc_family == AF_INET6 && !ipv6_addr_v4mapped(&c->skc_v6_daddr))
		ip6_xmit(skb, &c->skc_v6_rcv_saddr, &c->skc_v6_daddr);
	else
		ip_queue_xmit(skb, c->skc_rcv_saddr, c->skc_daddr);
}

int tcp_rtx_synack(const struct sock *sk, struct request_sock *req)
{
	req->num_retrans++;
	tcp_send_synack(sk, req);
	journal(J_TCP_SYNACK_AGAIN, (u64)sk, (u64)req, 0, 0);
	trace(tcp_retransmit_synack, sk, req);
	return 0;
}
