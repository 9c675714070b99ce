/* Data that arrives: in its place in the stream, ahead of what is missing, or once more. */
#include "net.h"

/* Room in the receive buffer for a packet; segments that wait for a gap to be filled make way for one at its place. */
bool tcp_try_rmem_schedule(struct sock *sk, struct sk_buff *skb, bool in_order)
{
	struct sk_buff_head *ofo = &tcp_sk(sk)->out_of_order_queue;
	while (atomic_read(&sk->sk_rmem_alloc) > sk->sk_rcvbuf || !sk_rmem_schedule(sk, skb, (int)skb->truesize)) {
		struct sk_buff *last;
		if (!in_order || list_empty(&ofo->list))
			return false;
		last = list_entry(ofo->list.prev, struct sk_buff, list);
		skb_unlink(last, ofo);
		kfree_skb_reason(last, SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE);
	}
	return true;
}

/* A segment ahead of what is missing is kept, by sequence number; what is there already is not kept twice. */
void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct list_head *pos, *next;
	if (!tcp_try_rmem_schedule(sk, skb, false)) {
		atomic_inc(&sk->sk_drops);
		kfree_skb_reason(skb, SKB_DROP_REASON_PROTO_MEM);
		return;
	}
	for (pos = tp->out_of_order_queue.list.next; pos != &tp->out_of_order_queue.list; pos = next) {
		struct sk_buff *other = list_entry(pos, struct sk_buff, list);
		next = pos->next;
		if (!after(TCP_SKB_CB(other)->seq, cb->seq) && !before(TCP_SKB_CB(other)->end_seq, cb->end_seq)) {
			kfree_skb_reason(skb, SKB_DROP_REASON_TCP_OFOMERGE);
			return;
		}
		if (before(TCP_SKB_CB(other)->seq, cb->seq))
			continue;
		if (after(TCP_SKB_CB(other)->end_seq, cb->end_seq))
			break;
		skb_unlink(other, &tp->out_of_order_queue);
		kfree_skb_reason(other, SKB_DROP_REASON_TCP_OFOMERGE);
	}
	tp->rcv_ooopack++;
	journal(J_TCP_OUT_OF_ORDER, (u64)sk, cb->seq, cb->end_seq, tp->rcv_nxt);
	list_add_tail(&skb->list, pos);
	tp->out_of_order_queue.qlen++;
	skb_set_owner_r(skb, sk);
}

/* The other end has closed. */
void tcp_fin(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;
	inet_csk(sk)->icsk_ack.pending = 1;
	sk->sk_shutdown |= RCV_SHUTDOWN;
	sock_set_flag(sk, SOCK_DONE);
	skb_queue_purge(&tcp_sk(sk)->out_of_order_queue);
	if (state == TCP_ESTABLISHED || state == TCP_SYN_RECV) {
		tcp_set_state(sk, TCP_CLOSE_WAIT);
	} else if (state == TCP_FIN_WAIT1) {
		tcp_send_ack(sk);
		tcp_set_state(sk, TCP_CLOSING);
	} else if (state == TCP_FIN_WAIT2) {
		tcp_send_ack(sk);
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
	}
	if (!sock_flag(sk, SOCK_DEAD))
		sock_def_wakeup(sk);
}

/* A segment whose first byte is the next one, or was: it goes to the reader, or is only a FIN. */
void tcp_queue_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool fin = (cb->tcp_flags & TCPHDR_FIN) != 0;
	u32 bytes = cb->end_seq - fin - tp->rcv_nxt;
	tp->rcv_nxt = cb->end_seq;
	tp->bytes_received += bytes;
	if (!bytes) {
		__kfree_skb(skb);
	} else {
		if (!skb->rmem_charged)
			skb_set_owner_r(skb, sk);
		skb_queue_tail(&sk->sk_receive_queue, skb);
	}
	if (fin)
		tcp_fin(sk);
}

/* Segments that waited for what has just come. */
void tcp_ofo_queue(struct sock *sk)
{
	struct sk_buff_head *ofo = &tcp_sk(sk)->out_of_order_queue;
	struct sk_buff *skb;
	while ((skb = skb_peek(ofo)) && !after(TCP_SKB_CB(skb)->seq, tcp_sk(sk)->rcv_nxt)) {
		skb_unlink(skb, ofo);
		if (after(TCP_SKB_CB(skb)->end_seq, tcp_sk(sk)->rcv_nxt))
			tcp_queue_rcv(sk, skb);
		else
			kfree_skb_reason(skb, SKB_DROP_REASON_TCP_OFO_DROP);
	}
}

/* The segment is acknowledged as what it is, and dropped. */
void tcp_drop_segment(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	inet_csk(sk)->icsk_ack.pending = 1;
	atomic_inc(&sk->sk_drops);
	kfree_skb_reason(skb, reason);
}

/* A segment whose first byte is the next one, or a later one of it. */
void tcp_data_queue_in_order(struct sock *sk, struct sk_buff *skb)
{
	if (!tcp_receive_window(tcp_sk(sk)) && skb->len) {
		tcp_drop_segment(sk, skb, SKB_DROP_REASON_TCP_ZEROWINDOW);
		return;
	}
	if (!tcp_try_rmem_schedule(sk, skb, true)) {
		sock_def_readable(sk);
		tcp_drop_segment(sk, skb, SKB_DROP_REASON_PROTO_MEM);
		return;
	}
	inet_csk(sk)->icsk_ack.pending = 1;
	tcp_queue_rcv(sk, skb);
	tcp_ofo_queue(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sock_def_readable(sk);
}

/* Takes the packet. */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	if (cb->seq == cb->end_seq) {
		__kfree_skb(skb);
		return;
	}
	if (skb->len)
		tp->data_segs_in++;
	if (!after(cb->end_seq, tp->rcv_nxt)) {
		tcp_drop_segment(sk, skb, SKB_DROP_REASON_TCP_OLD_DATA);
	} else if (!before(cb->seq, tp->rcv_nxt + max(tcp_receive_window(tp), 1u))) {
		tcp_drop_segment(sk, skb, SKB_DROP_REASON_TCP_OVERWINDOW);
	} else if (after(cb->seq, tp->rcv_nxt)) {
		inet_csk(sk)->icsk_ack.pending = 1;
		tcp_data_queue_ofo(sk, skb);
	} else {
		tcp_data_queue_in_order(sk, skb);
	}
}
