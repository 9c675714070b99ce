/* TCP over IP version 4, and the way of a packet to its socket, which both versions have in common. */
#include "net.h"

/* Of Linux's loopback: what a packet to 127.0.0.0/8 comes from. */
#define INADDR_LOOPBACK 0x0100007fu

int tcp_v4_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	return ip_queue_xmit(skb, sk->__sk_common.skc_rcv_saddr, sk->__sk_common.skc_daddr);
}

int tcp_v4_conn_request(struct sock *sk, struct sk_buff *skb) { return tcp_conn_request(sk, skb); }

const struct inet_connection_sock_af_ops ipv4_specific = {
	.queue_xmit = tcp_v4_queue_xmit,
	.conn_request = tcp_v4_conn_request,
	.syn_recv_sock = tcp_v4_syn_recv_sock,
};

/* The socket has its addresses: a port, a place where packets find it, and the SYN. */
int tcp_connect_from(struct sock *sk)
{
	int error = 0;
	tcp_set_state(sk, TCP_SYN_SENT);
	if (!inet_csk(sk)->icsk_bind_hash)
		error = sk->sk_prot->get_port(sk, 0);
	inet_sk(sk)->inet_sport = swab16(sk->__sk_common.skc_num);
	if (!error) {
		inet_hash(sk);
		error = tcp_connect(sk);
	}
	if (error) {
		tcp_set_state(sk, TCP_CLOSE);
		sk->__sk_common.skc_dport = 0;
	}
	return error;
}

int __tcp_v4_connect(struct sock *sk, const struct sockaddr_in *usin, int addr_len)
{
	struct sock_common *c = &sk->__sk_common;
	__be32 daddr = usin->sin_addr.s_addr;
	if (addr_len < (int)sizeof(*usin))
		return -EINVAL;
	if (usin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	if (!daddr)
		daddr = INADDR_LOOPBACK;
	if (!ipv4_is_loopback(daddr))
		return -ENETUNREACH;
	if (!inet_sk(sk)->inet_saddr)
		inet_sk(sk)->inet_saddr = c->skc_rcv_saddr = INADDR_LOOPBACK;
	c->skc_daddr = daddr;
	c->skc_dport = usin->sin_port;
	ipv6_addr_set_v4mapped(c->skc_daddr, &c->skc_v6_daddr);
	ipv6_addr_set_v4mapped(c->skc_rcv_saddr, &c->skc_v6_rcv_saddr);
	return tcp_connect_from(sk);
}

int tcp_v4_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len)
{
	const struct sockaddr_in *usin = (const struct sockaddr_in *)uaddr;
	int error = __tcp_v4_connect(sk, usin, addr_len);
	journal_sock(J_TCP_CONNECT, sk, pid_tgid(current), swab16(inet_sk(sk)->inet_sport), swab16(usin->sin_port), (u64)error);
	return error;
}

/* The answer to a packet that belongs to no connection, or to none that can take it. */
void __tcp_send_reset(const struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_reply reply = { .tcp_flags = TCPHDR_RST };
	if (cb->tcp_flags & TCPHDR_RST)
		return;
	if (cb->tcp_flags & TCPHDR_ACK) {
		reply.seq = cb->ack_seq;
	} else {
		reply.tcp_flags |= TCPHDR_ACK;
		reply.ack_seq = cb->end_seq;
	}
	if (sk) {
		journal(J_TCP_RESET, (u64)sk, 0, sk->__sk_common.skc_state, 0);
		trace(tcp_send_reset, sk, skb);
	}
	tcp_send_reply(skb, &reply);
}

void tcp_v4_send_reset(const struct sock *sk, struct sk_buff *skb) { __tcp_send_reset(sk, skb); }
void tcp_v6_send_reset(const struct sock *sk, struct sk_buff *skb) { __tcp_send_reset(sk, skb); }

void tcp_send_reset(const struct sock *sk, struct sk_buff *skb)
{
	if (skb->protocol == swab16(ETH_P_IPV6))
		tcp_v6_send_reset(sk, skb);
	else
		tcp_v4_send_reset(sk, skb);
}

/* The child has the addresses of its request and the port of who listens. */
void tcp_name_child(const struct sock *sk, struct sock *newsk, const struct request_sock *req)
{
	struct sock_common *c = &newsk->__sk_common;
	inet_sk(newsk)->inet_saddr = c->skc_rcv_saddr = req->__req_common.skc_rcv_saddr;
	c->skc_daddr = req->__req_common.skc_daddr;
	c->skc_v6_rcv_saddr = req->__req_common.skc_v6_rcv_saddr;
	c->skc_v6_daddr = req->__req_common.skc_v6_daddr;
	__inet_inherit_port(sk, newsk);
}

/* The handshake is complete: the request becomes a socket of its own, locked; NULL if no more wait to be accepted than may. */
struct sock *tcp_v4_syn_recv_sock(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst,
				  struct request_sock *req_unhash, bool *own_req)
{
	struct sock *newsk;
	(void)dst;
	journal(J_TCP_CHILD, (u64)sk, READ_ONCE(sk->sk_ack_backlog), sk->sk_max_ack_backlog, AF_INET);
	newsk = sk_acceptq_is_full(sk) ? NULL : tcp_create_openreq_child(sk, req, skb);
	if (!newsk)
		return NULL;
	tcp_name_child(sk, newsk, req);
	*own_req = inet_ehash_replace(&req_unhash->__req_common, &newsk->__sk_common);
	return newsk;
}

/* The socket's lock is held, or a task has it. Takes the packet. */
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	sock_hold(sk);
	tcp_sk(sk)->segs_in++;
	if (sk->__sk_common.skc_state == TCP_ESTABLISHED) {
		tcp_rcv_established(sk, skb);
	} else if (tcp_rcv_state_process(sk, skb)) {
		tcp_send_reset(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
	}
	sock_put(sk);
	return 0;
}

int tcp_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	return skb->protocol == swab16(ETH_P_IPV6) ? tcp_v6_do_rcv(sk, skb) : tcp_v4_do_rcv(sk, skb);
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

/* A packet for a full socket, to which the caller has a reference. Takes the packet. */
void tcp_rcv_full(struct sock *sk, struct sk_buff *skb)
{
	_raw_spin_lock(&sk->sk_lock.slock);
	if (!sk->sk_lock.owned)
		tcp_do_rcv(sk, skb);
	else if (!sk_add_backlog(sk, skb))
		kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_BACKLOG);
	_raw_spin_unlock(&sk->sk_lock.slock);
}

/* A packet for a request. False: the request is none any more, and another socket is to be found. */
bool tcp_rcv_request(struct request_sock *req, struct sk_buff *skb)
{
	struct sock *listener = req->rsk_listener, *nsk;
	if (listener->__sk_common.skc_state != TCP_LISTEN) {
		inet_csk_reqsk_queue_drop(listener, req);
		reqsk_put(req);
		return false;
	}
	sock_hold(listener);
	nsk = tcp_check_req(listener, skb, req);
	if (!nsk) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		reqsk_put(req);
	} else if (nsk == listener) {
		reqsk_put(req);
		tcp_rcv_full(listener, skb);
	} else {
		sock_hold(nsk);
		if (tcp_child_process(listener, nsk, skb)) {
			tcp_send_reset(nsk, skb);
			kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		}
		sock_put(nsk);
	}
	sock_put(listener);
	return true;
}

/* A packet for a connection in time-wait. False: it begins a new one, for which a listener is to be found. */
bool tcp_rcv_timewait(struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	enum tcp_tw_status status = tcp_timewait_state_process(tw, skb);
	struct tcp_reply reply = { .seq = tw->tw_snd_nxt, .ack_seq = tw->tw_rcv_nxt, .tcp_flags = TCPHDR_ACK };
	if (status == TCP_TW_SYN) {
		struct sock *listener = inet_lookup_listener(skb);
		if (listener) {
			inet_twsk_deschedule_put(tw);
			sock_put(listener);
			return false;
		}
		status = TCP_TW_ACK;
	}
	reply.window = (u16)tw->tw_rcv_wnd;
	if (status == TCP_TW_ACK)
		tcp_send_reply(skb, &reply);
	else if (status == TCP_TW_RST)
		tcp_send_reset(NULL, skb);
	kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
	return true;
}

/* False: look again. Takes the packet, else. */
bool tcp_rcv_common(struct sock_common *common, struct sk_buff *skb)
{
	bool done = true;
	if (common->skc_state == TCP_NEW_SYN_RECV)
		return tcp_rcv_request(inet_reqsk(common), skb);
	if (common->skc_state == TCP_TIME_WAIT)
		done = tcp_rcv_timewait(inet_twsk(common), skb);
	else
		tcp_rcv_full(full_sk(common), skb);
	sock_gen_put(common);
	return done;
}

int tcp_rcv(struct sk_buff *skb)
{
	struct sock_common *common;
	tcp_v4_fill_cb(skb);
	do {
		common = inet_lookup(skb);
		if (!common) {
			tcp_send_reset(NULL, skb);
			kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET);
			return 0;
		}
	} while (!tcp_rcv_common(common, skb));
	return 0;
}

int tcp_v4_rcv(struct sk_buff *skb) { return tcp_rcv(skb); }
