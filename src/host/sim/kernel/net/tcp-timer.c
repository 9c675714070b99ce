/* TCP's timer: segments that nobody acknowledged, windows that nobody opened. */
#include "net.h"

#define NSEC_PER_MSEC 1000000UL

void tcp_write_timer(struct timer_list *timer);

unsigned long msecs_to_jiffies(unsigned long ms) { return (ms * NSEC_PER_MSEC + tick_ns - 1) / tick_ns; }

void tcp_init_xmit_timers(struct sock *sk)
{
	timer_setup(&inet_csk(sk)->icsk_retransmit_timer, tcp_write_timer);
	inet_csk(sk)->icsk_pending = 0;
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

void tcp_reset_xmit_timer(struct sock *sk, int what, unsigned long when)
{
	inet_csk(sk)->icsk_pending = (u8)what;
	sk_reset_timer(sk, &inet_csk(sk)->icsk_retransmit_timer, jiffies + min(when, msecs_to_jiffies(TCP_RTO_MAX_MS)) + 1);
}

void inet_csk_clear_xmit_timer(struct sock *sk)
{
	inet_csk(sk)->icsk_pending = 0;
	sk_stop_timer(sk, &inet_csk(sk)->icsk_retransmit_timer);
}

/* The time-out begins anew, or there is nothing to wait for. */
void tcp_rearm_rto(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	if (tcp_sk(sk)->packets_out)
		tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, (unsigned long)icsk->icsk_rto << icsk->icsk_backoff);
	else
		inet_csk_clear_xmit_timer(sk);
}

/* When the next probe of a closed window is due. */
unsigned long tcp_probe0_when(const struct sock *sk)
{
	return (unsigned long)max(inet_csk(sk)->icsk_rto, (u32)msecs_to_jiffies(TCP_RTO_MIN_MS)) << inet_csk(sk)->icsk_backoff;
}

void tcp_write_err(struct sock *sk)
{
	sk->sk_err = ETIMEDOUT;
	sk_error_report(sk);
	tcp_done(sk);
}

int tcp_retries(const struct sock *sk)
{
	if (sk->__sk_common.skc_state == TCP_SYN_SENT)
		return TCP_SYN_RETRIES;
	return sock_flag(sk, SOCK_DEAD) ? TCP_ORPHAN_RETRIES : TCP_RETR2;
}

/* No acknowledgement came: again, after twice the time; or the connection is given up. */
void tcp_retransmit_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct sk_buff *skb = skb_peek(&sk->tcp_rtx_queue);
	if (!skb)
		return;
	if (icsk->icsk_retransmits >= tcp_retries(sk)) {
		tcp_write_err(sk);
		return;
	}
	tcp_enter_loss(sk);
	icsk->icsk_retransmits++;
	tcp_retransmit_skb(sk, skb);
	if (icsk->icsk_backoff < 15)
		icsk->icsk_backoff++;
	tcp_rearm_rto(sk);
}

/* The other end has no room, as far as is known: a segment without data makes it say so again. */
void tcp_probe_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	if (tcp_sk(sk)->packets_out || !skb_peek(&sk->sk_write_queue)) {
		icsk->icsk_probes_out = 0;
		return;
	}
	if (icsk->icsk_probes_out >= (sock_flag(sk, SOCK_DEAD) ? TCP_ORPHAN_RETRIES : TCP_RETR2)) {
		tcp_write_err(sk);
		return;
	}
	icsk->icsk_probes_out++;
	if (tcp_write_wakeup(sk) <= 0 || !tcp_sk(sk)->packets_out) {
		if (icsk->icsk_backoff < 15)
			icsk->icsk_backoff++;
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_when(sk));
	}
}

void tcp_write_timer_handler(struct sock *sk)
{
	int event = inet_csk(sk)->icsk_pending;
	if (sk->__sk_common.skc_state == TCP_CLOSE || sk->__sk_common.skc_state == TCP_LISTEN)
		return;
	inet_csk(sk)->icsk_pending = 0;
	if (event == ICSK_TIME_RETRANS)
		tcp_retransmit_timer(sk);
	else if (event == ICSK_TIME_PROBE0)
		tcp_probe_timer(sk);
}

/* In the timer softirq. A socket that a task has is left alone for a tick. */
void tcp_write_timer(struct timer_list *timer)
{
	struct sock *sk = (struct sock *)container_of(timer, struct inet_connection_sock, icsk_retransmit_timer);
	_raw_spin_lock(&sk->sk_lock.slock);
	if (sk->sk_lock.owned)
		sk_reset_timer(sk, timer, jiffies + 1);
	else
		tcp_write_timer_handler(sk);
	_raw_spin_unlock(&sk->sk_lock.slock);
	sock_put(sk);
}
