/* What TCP has instead of sockets before a connection is one and after it was: requests, and time-wait. */
#include "net.h"

/* More than this many connections in time-wait are not kept: theirs is over at once. */
#define SYSCTL_MAX_TW_BUCKETS 128

static struct kmem_cache tw_sock_TCP;
static atomic_t tw_refcount;

void inet_twsk_init(void) { kmem_cache_create(&tw_sock_TCP, "tw_sock_TCP", sizeof(struct inet_timewait_sock)); }

void inet_twsk_free(struct inet_timewait_sock *tw)
{
	__atomic_fetch_sub(&tw_refcount.counter, 1, __ATOMIC_SEQ_CST);
	kmem_cache_free(&tw_sock_TCP, tw);
}

/* Packets find it no more, and its port is free. */
void inet_twsk_kill(struct inet_timewait_sock *tw)
{
	if (!inet_ehash_remove(&tw->__tw_common))
		return;
	journal(J_TIME_WAIT, (u64)tw, 1, tw->__tw_common.skc_num, swab16(tw->__tw_common.skc_dport));
	inet_bind_bucket_put(tw->tw_tb, &tw->__tw_common);
}

void tw_timer_handler(struct timer_list *timer)
{
	struct inet_timewait_sock *tw = container_of(timer, struct inet_timewait_sock, tw_timer);
	inet_twsk_kill(tw);
	sock_gen_put(&tw->__tw_common);
}

/* It is over before its time. */
void inet_twsk_deschedule_put(struct inet_timewait_sock *tw)
{
	inet_twsk_kill(tw);
	if (del_timer(&tw->tw_timer))
		sock_gen_put(&tw->__tw_common);
}

/* Its time begins anew, if it is not over. */
void inet_twsk_reschedule(struct inet_timewait_sock *tw, unsigned long timeo)
{
	if (del_timer(&tw->tw_timer))
		mod_timer(&tw->tw_timer, jiffies + timeo);
}

/* With a reference, which is the timer's. */
struct inet_timewait_sock *inet_twsk_alloc(const struct sock *sk, int state)
{
	struct inet_timewait_sock *tw;
	if (atomic_add_return(1, &tw_refcount) > SYSCTL_MAX_TW_BUCKETS || !(tw = kmem_cache_alloc(&tw_sock_TCP, GFP_ATOMIC))) {
		__atomic_fetch_sub(&tw_refcount.counter, 1, __ATOMIC_SEQ_CST);
		return NULL;
	}
	memset(tw, 0, sizeof(*tw));
	tw->__tw_common = sk->__sk_common;
	tw->__tw_common.skc_state = TCP_TIME_WAIT;
	INIT_LIST_HEAD(&tw->__tw_common.skc_node);
	INIT_LIST_HEAD(&tw->__tw_common.skc_bind_node);
	atomic_set(&tw->__tw_common.skc_refcnt, 1);
	tw->tw_substate = (unsigned char)state;
	tw->tw_sport = inet_sk(sk)->inet_sport;
	timer_setup(&tw->tw_timer, tw_timer_handler);
	return tw;
}

/* What is left of the connection waits in the socket's place, and the socket is done with. */
void tcp_time_wait(struct sock *sk, int state, unsigned long timeo)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct inet_timewait_sock *tw = inet_csk(sk)->icsk_bind_hash ? inet_twsk_alloc(sk, state) : NULL;
	if (tw) {
		tw->tw_rcv_nxt = tp->rcv_nxt;
		tw->tw_snd_nxt = tp->snd_nxt;
		tw->tw_rcv_wnd = tcp_receive_window(tp);
		tw->tw_tb = inet_csk(sk)->icsk_bind_hash;
		inet_bind_bucket_add(tw->tw_tb, &tw->__tw_common);
		inet_ehash_replace(&sk->__sk_common, &tw->__tw_common);
		journal(J_TIME_WAIT, (u64)tw, 0, tw->__tw_common.skc_num, swab16(tw->__tw_common.skc_dport));
		mod_timer(&tw->tw_timer, jiffies + (state == TCP_TIME_WAIT ? msecs_to_jiffies(TCP_TIMEWAIT_LEN_MS) : timeo));
	}
	tcp_done(sk);
}

/* The other end's FIN, or what comes too late. Locked. */
enum tcp_tw_status tcp_timewait_fin_wait2(struct inet_timewait_sock *tw, const struct tcp_skb_cb *cb)
{
	if (cb->tcp_flags & TCPHDR_RST)
		return TCP_TW_SUCCESS;
	if ((cb->tcp_flags & TCPHDR_SYN) && !before(cb->seq, tw->tw_rcv_nxt))
		return TCP_TW_RST;
	if (!(cb->tcp_flags & TCPHDR_ACK) || !after(cb->end_seq, tw->tw_rcv_nxt) || cb->end_seq == cb->seq)
		return TCP_TW_SUCCESS;
	if (!(cb->tcp_flags & TCPHDR_FIN) || cb->end_seq != tw->tw_rcv_nxt + 1)
		return TCP_TW_RST;
	tw->tw_substate = TCP_TIME_WAIT;
	tw->tw_rcv_nxt = cb->end_seq;
	inet_twsk_reschedule(tw, msecs_to_jiffies(TCP_TIMEWAIT_LEN_MS));
	return TCP_TW_ACK;
}

/* What a packet for a connection in time-wait leads to. RST and SYN end it. */
enum tcp_tw_status tcp_timewait_state_process(struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	enum tcp_tw_status status = TCP_TW_ACK;
	bool over = false;
	_raw_spin_lock(&tw->tw_lock);
	if (tw->tw_substate == TCP_FIN_WAIT2) {
		status = tcp_timewait_fin_wait2(tw, cb);
		over = status == TCP_TW_RST || cb->tcp_flags & TCPHDR_RST;
	} else if (cb->seq == tw->tw_rcv_nxt && (cb->seq == cb->end_seq || cb->tcp_flags & TCPHDR_RST)) {
		status = TCP_TW_SUCCESS;
		over = cb->tcp_flags & TCPHDR_RST;
	} else if ((cb->tcp_flags & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_ACK)) == TCPHDR_SYN && after(cb->seq, tw->tw_rcv_nxt)) {
		status = TCP_TW_SYN;
	} else if (cb->tcp_flags & TCPHDR_RST) {
		status = TCP_TW_SUCCESS;
	} else {
		inet_twsk_reschedule(tw, msecs_to_jiffies(TCP_TIMEWAIT_LEN_MS));
	}
	_raw_spin_unlock(&tw->tw_lock);
	if (over)
		inet_twsk_deschedule_put(tw);
	return status;
}

/* A request's own packets: the SYN once more, or what completes the handshake. NULL: nothing more is to be done, `sk`: a reset. */
struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct sock *child;
	bool own_req = false;
	if (cb->seq == treq->rcv_isn && (cb->tcp_flags & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_ACK)) == TCPHDR_SYN) {
		tcp_rtx_synack(sk, req);
		return NULL;
	}
	if ((cb->tcp_flags & TCPHDR_ACK) && cb->ack_seq != treq->snt_isn + 1)
		return sk;
	if (cb->tcp_flags & (TCPHDR_RST | TCPHDR_SYN)) {
		inet_csk_reqsk_queue_drop(sk, req);
		return NULL;
	}
	if (!(cb->tcp_flags & TCPHDR_ACK) || before(cb->seq, treq->rcv_isn + 1))
		return NULL;
	child = inet_csk(sk)->icsk_af_ops->syn_recv_sock(sk, skb, req, NULL, req, &own_req);
	return child ? inet_csk_complete_hashdance(sk, child, req, own_req) : NULL;
}

struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req, struct sk_buff *skb)
{
	struct sock *newsk = inet_csk_clone_lock(sk, req);
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_sock *tp;
	if (!newsk)
		return NULL;
	tp = tcp_sk(newsk);
	tcp_init_xmit_timers(newsk);
	skb_queue_head_init(&tp->out_of_order_queue);
	inet_csk(newsk)->icsk_rto = (u32)msecs_to_jiffies(TCP_TIMEOUT_INIT_MS);
	tp->rcv_wup = tp->copied_seq = tp->rcv_nxt = treq->rcv_isn + 1;
	tp->snd_una = tp->snd_nxt = tp->write_seq = treq->snt_isn + 1;
	tp->snd_wl1 = treq->rcv_isn;
	tp->snd_wnd = swab16(tcp_hdr(skb)->window);
	tp->max_window = tp->snd_wnd;
	tp->rcv_wnd = tp->window_clamp = min((u32)sk->sk_rcvbuf / 2, TCP_MAX_WINDOW);
	tp->total_retrans = req->num_retrans;
	tp->segs_in = 1;
	tp->segs_out = 1;
	return newsk;
}

/* The packet that made the child is its first one. Takes the child's lock and the packet. */
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb)
{
	unsigned char state = child->__sk_common.skc_state;
	int ret = 0;
	tcp_sk(child)->segs_in++;
	if (!child->sk_lock.owned) {
		ret = tcp_rcv_state_process(child, skb);
		if (state == TCP_SYN_RECV && child->__sk_common.skc_state != state)
			sock_def_readable(parent);
	} else {
		skb_queue_tail(&child->sk_backlog.queue, skb);
		child->sk_backlog.len += (int)skb->truesize;
	}
	_raw_spin_unlock(&child->sk_lock.slock);
	return ret;
}
