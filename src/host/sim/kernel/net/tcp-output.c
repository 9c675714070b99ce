/* What TCP sends: segments that are kept until they are acknowledged, and those that are not. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

#define TCP_RTO_MIN_MS 200
#define TCP_RETRIES 8
#define NSEC_PER_MSEC 1000000UL

void tcp_write_err(struct sock *sk);

unsigned long msecs_to_ticks(unsigned long ms) { return (ms * NSEC_PER_MSEC + tick_ns - 1) / tick_ns; }

void tcp_init_sock(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	tp->snd_cwnd = 10;
	tp->snd_ssthresh = 0x7fffffff;
	tp->snd_wnd = tp->rcv_wnd = 65536;
	inet_csk(sk)->icsk_rto = (u32)msecs_to_ticks(TCP_RTO_MIN_MS);
	timer_setup(&inet_csk(sk)->icsk_retransmit_timer, tcp_write_timer);
}

/* The timer holds a reference while it waits. */
void sk_reset_timer(struct sock *sk, struct timer_list *timer, unsigned long expires)
{
	if (!mod_timer(timer, expires))
		sock_hold(sk);
}

void sk_stop_timer(struct sock *sk, struct timer_list *timer)
{
	if (del_timer(timer))
		sock_put(sk);
}

void inet_csk_reset_xmit_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	sk_reset_timer(sk, &icsk->icsk_retransmit_timer, jiffies + ((u64)icsk->icsk_rto << icsk->icsk_backoff) + 1);
}

void inet_csk_clear_xmit_timer(struct sock *sk) { sk_stop_timer(sk, &inet_csk(sk)->icsk_retransmit_timer); }

/* Puts the header before the packet's data and sends it off, for good. */
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcphdr *th;
	tp->segs_out++;
	if (skb->len) {
		tp->data_segs_out++;
		tp->bytes_sent += skb->len;
	}
	th = skb_push(skb, sizeof(*th));
	memset(th, 0, sizeof(*th));
	skb->transport_header = (u16)(skb->data - skb->head);
	th->source = swab16(sk->__sk_common.skc_num);
	th->dest = sk->__sk_common.skc_dport;
	th->seq = swab32(cb->seq);
	th->ack_seq = swab32(tp->rcv_nxt);
	th->doff = sizeof(*th) / 4;
	th->fin = (cb->tcp_flags & TCPHDR_FIN) != 0;
	th->syn = (cb->tcp_flags & TCPHDR_SYN) != 0;
	th->rst = (cb->tcp_flags & TCPHDR_RST) != 0;
	th->psh = (cb->tcp_flags & TCPHDR_PSH) != 0;
	th->ack = (cb->tcp_flags & TCPHDR_ACK) != 0;
	th->window = 0xffff;
	return ip_queue_xmit(skb, sk->__sk_common.skc_rcv_saddr, sk->__sk_common.skc_daddr);
}

/* Sends a copy of a segment that stays in the queue. */
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *copy;
	TCP_SKB_CB(skb)->sent_at = ktime_get();
	copy = skb_copy(skb, GFP_ATOMIC);
	return copy ? __tcp_transmit_skb(sk, copy) : -ENOMEM;
}

/* A segment that takes its place in the stream. */
int tcp_queue_skb(struct sock *sk, u8 flags, const void *data, size_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb((unsigned int)len, GFP_ATOMIC);
	struct tcp_skb_cb *cb;
	if (!skb)
		return -ENOMEM;
	if (len)
		memcpy(skb_put(skb, (unsigned int)len), data, len);
	cb = TCP_SKB_CB(skb);
	cb->tcp_flags = flags;
	cb->seq = tp->write_seq;
	cb->end_seq = cb->seq + (u32)len + ((flags & (TCPHDR_SYN | TCPHDR_FIN)) != 0);
	tp->write_seq = tp->snd_nxt = cb->end_seq;
	skb->sk = sk;
	if (list_empty(&sk->sk_write_queue.list))
		inet_csk_reset_xmit_timer(sk);
	skb_queue_tail(&sk->sk_write_queue, skb);
	tcp_transmit_skb(sk, skb);
	return 0;
}

/* A packet of no length in the stream: an acknowledgement or a reset. */
void tcp_send_control(struct sock *sk, u8 flags)
{
	struct sk_buff *skb = alloc_skb(0, GFP_ATOMIC);
	if (!skb)
		return;
	TCP_SKB_CB(skb)->seq = TCP_SKB_CB(skb)->end_seq = tcp_sk(sk)->snd_nxt;
	TCP_SKB_CB(skb)->tcp_flags = flags;
	__tcp_transmit_skb(sk, skb);
}

void tcp_send_ack(struct sock *sk) { tcp_send_control(sk, TCPHDR_ACK); }
void tcp_send_fin(struct sock *sk) { tcp_queue_skb(sk, TCPHDR_FIN | TCPHDR_ACK, NULL, 0); }

/* Our end goes down with data that nobody read. */
void tcp_send_active_reset(struct sock *sk)
{
	journal(J_TCP_RESET, (u64)sk, 0, sk->__sk_common.skc_state, 0);
	trace(tcp_send_reset, sk, NULL);
	tcp_send_control(sk, TCPHDR_RST | TCPHDR_ACK);
}

int tcp_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	tp->write_seq = tp->snd_nxt = tp->snd_una = (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0);
	return tcp_queue_skb(sk, TCPHDR_SYN, NULL, 0);
}

/* Sends the oldest segment again. */
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->sacked = 1;
	tcp_sk(sk)->total_retrans++;
	tcp_sk(sk)->bytes_retrans += skb->len;
	journal(J_TCP_RETRANSMIT, (u64)sk, sk->__sk_common.skc_state, TCP_SKB_CB(skb)->seq, 0);
	trace(tcp_retransmit_skb, sk, skb);
	return tcp_transmit_skb(sk, skb);
}

/* No acknowledgement came: again, after twice the time; or the connection is given up. */
void tcp_retransmit_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	if (list_empty(&sk->sk_write_queue.list))
		return;
	if (icsk->icsk_retransmits >= TCP_RETRIES) {
		tcp_write_err(sk);
		return;
	}
	icsk->icsk_retransmits++;
	icsk->icsk_backoff++;
	tcp_sk(sk)->snd_ssthresh = max(tcp_sk(sk)->snd_cwnd / 2, 2u);
	tcp_sk(sk)->snd_cwnd = 1;
	inet_csk_reset_xmit_timer(sk);
	tcp_retransmit_skb(sk, list_first_entry(&sk->sk_write_queue.list, struct sk_buff, list));
}

/* In the timer softirq. A socket that a task has is left alone for a tick. */
void tcp_write_timer(struct timer_list *timer)
{
	struct sock *sk = (struct sock *)container_of(timer, struct inet_connection_sock, icsk_retransmit_timer);
	_raw_spin_lock(&sk->sk_lock);
	if (sk->sk_lock_owned)
		sk_reset_timer(sk, timer, jiffies + 1);
	else
		tcp_retransmit_timer(sk);
	_raw_spin_unlock(&sk->sk_lock);
	sock_put(sk);
}
