/* Acknowledgements: what they take off the queue, what they tell of the path, and what their absence leads to. */
#include "net.h"

#define NSEC_PER_USEC 1000L


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
	inet_csk(sk)->icsk_rto = (u32)msecs_to_jiffies(max((u32)TCP_RTO_MIN_MS, ((tp->srtt_us >> 3) + tp->mdev_us) / 1000));
}

void tcp_set_ca_state(struct sock *sk, u8 ca_state)
{
	if (inet_csk(sk)->icsk_ca_state == ca_state)
		return;
	journal(J_TCP_CONGESTION, (u64)sk, inet_csk(sk)->icsk_ca_state, ca_state, 0);
	trace(tcp_cong_state_set, sk, ca_state);
	inet_csk(sk)->icsk_ca_state = ca_state;
}

/* Takes acknowledged segments off the queue; the result is how many. */
u32 tcp_clean_rtx_queue(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	u32 acked = 0;
	while ((skb = skb_peek(&sk->tcp_rtx_queue)) && !after(TCP_SKB_CB(skb)->end_seq, tp->snd_una)) {
		if (!TCP_SKB_CB(skb)->sacked)
			tcp_rtt_estimator(sk, (ktime_get() - TCP_SKB_CB(skb)->sent_at) / NSEC_PER_USEC);
		skb_unlink(skb, &sk->tcp_rtx_queue);
		sk->sk_wmem_queued -= (int)skb->truesize;
		sk_mem_uncharge(sk, (int)skb->truesize);
		__kfree_skb(skb);
		tp->packets_out--;
		acked++;
	}
	return acked;
}

/* The window is believed if the acknowledgement is not older than the one that told the last. */
bool tcp_ack_update_window(struct sock *sk, const struct sk_buff *skb, u32 ack)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq;
	u32 window = swab16(tcp_hdr(skb)->window);
	if (!after(ack, tp->snd_una) && !after(seq, tp->snd_wl1) && !(seq == tp->snd_wl1 && window > tp->snd_wnd))
		return false;
	tp->snd_wl1 = seq;
	if (tp->snd_wnd == window)
		return false;
	tp->snd_wnd = window;
	tp->max_window = max(tp->max_window, window);
	return true;
}

/* The window of the network: half of it at each loss, one more for each segment acknowledged, and later for each window full. */
void tcp_cong_avoid(struct tcp_sock *tp, u32 acked)
{
	if (tp->snd_cwnd < tp->snd_ssthresh) {
		tp->snd_cwnd += acked;
	} else if ((tp->snd_cwnd_cnt += acked) >= tp->snd_cwnd) {
		tp->snd_cwnd_cnt = 0;
		tp->snd_cwnd++;
	}
}

/* The time-out: all that is under way counts as lost. */
void tcp_enter_loss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Loss) {
		tp->snd_ssthresh = max(tp->snd_cwnd / 2, 2u);
		tp->high_seq = tp->snd_nxt;
	}
	tp->snd_cwnd = 1;
	tp->snd_cwnd_cnt = 0;
	tp->sacked_out = 0;
	tcp_set_ca_state(sk, TCP_CA_Loss);
}

/* Later segments arrived and an earlier one did not: it is sent again before its time is over. */
void tcp_enter_recovery(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	tp->snd_ssthresh = max(tp->snd_cwnd / 2, 2u);
	tp->snd_cwnd = tp->snd_ssthresh;
	tp->high_seq = tp->snd_nxt;
	tcp_set_ca_state(sk, TCP_CA_Recovery);
	tcp_retransmit_skb(sk, skb_peek(&sk->tcp_rtx_queue));
}

/* The same acknowledgement once more: each tells of a segment that arrived behind a gap. */
void tcp_dupack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	tp->sacked_out = min(tp->sacked_out + 1, tp->packets_out - 1);
	if (inet_csk(sk)->icsk_ca_state == TCP_CA_Open)
		tcp_set_ca_state(sk, TCP_CA_Disorder);
	if (inet_csk(sk)->icsk_ca_state == TCP_CA_Disorder && tp->sacked_out >= TCP_FASTRETRANS_THRESH)
		tcp_enter_recovery(sk);
}

/* Segments were acknowledged: recovery ends, or the next gap is filled. */
void tcp_fastretrans_alert(struct sock *sk, u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;
	tp->sacked_out -= min(tp->sacked_out, acked ? acked - 1 : 0);
	if (state == TCP_CA_Open) {
		tp->sacked_out = 0;
		return;
	}
	if (state == TCP_CA_Disorder || !before(tp->snd_una, tp->high_seq)) {
		if (state == TCP_CA_Recovery)
			tp->snd_cwnd = tp->snd_ssthresh;
		tp->sacked_out = 0;
		tcp_set_ca_state(sk, TCP_CA_Open);
		return;
	}
	if (skb_peek(&sk->tcp_rtx_queue))
		tcp_retransmit_skb(sk, skb_peek(&sk->tcp_rtx_queue));
}

/* What the acknowledgement means where nothing is under way: the window may be open again. */
void tcp_ack_probe(struct sock *sk)
{
	const struct sk_buff *head = skb_peek(&sk->sk_write_queue);
	if (!head)
		return;
	if (!after(TCP_SKB_CB(head)->end_seq, tcp_sk(sk)->snd_una + tcp_sk(sk)->snd_wnd)) {
		inet_csk(sk)->icsk_backoff = inet_csk(sk)->icsk_probes_out = 0;
		inet_csk_clear_xmit_timer(sk);
	} else {
		inet_csk(sk)->icsk_probes_out = 0;
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_when(sk));
	}
}

/* Negative for what was never sent, 0 for what is old, else 1. */
int tcp_ack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 ack = cb->ack_seq, before_una = tp->snd_una, acked;
	bool outstanding = tp->packets_out != 0, updated;
	if (before(ack, tp->snd_una))
		return 0;
	if (after(ack, tp->snd_nxt))
		return -1;
	updated = tcp_ack_update_window(sk, skb, ack);
	tp->bytes_acked += ack - before_una;
	tp->snd_una = ack;
	acked = tcp_clean_rtx_queue(sk);
	if (ack != before_una) {
		inet_csk(sk)->icsk_retransmits = inet_csk(sk)->icsk_backoff = 0;
		tcp_fastretrans_alert(sk, acked);
		if (inet_csk(sk)->icsk_ca_state == TCP_CA_Open || inet_csk(sk)->icsk_ca_state == TCP_CA_Loss)
			tcp_cong_avoid(tp, acked);
		tcp_rearm_rto(sk);
		sk_stream_write_space(sk);
	} else if (outstanding && !updated && cb->seq == cb->end_seq && !(cb->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN))) {
		tcp_dupack(sk);
	}
	if (!tp->packets_out)
		tcp_ack_probe(sk);
	return 1;
}
