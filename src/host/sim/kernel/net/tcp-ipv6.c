/* TCP over IP version 6, and sockets of version 6 that speak version 4. */
#include "net.h"

static const struct in6_addr in6addr_loopback = { { .u6_addr8 = { [15] = 1 } } };

int inet6_csk_xmit(struct sock *sk, struct sk_buff *skb)
{
	return ip6_xmit(skb, &sk->__sk_common.skc_v6_rcv_saddr, &sk->__sk_common.skc_v6_daddr);
}

int tcp_v6_mapped_xmit(struct sock *sk, struct sk_buff *skb) { return ipv4_specific.queue_xmit(sk, skb); }
int tcp_v6_conn_request(struct sock *sk, struct sk_buff *skb) { return tcp_conn_request(sk, skb); }

const struct inet_connection_sock_af_ops ipv6_specific = {
	.queue_xmit = inet6_csk_xmit,
	.conn_request = tcp_v6_conn_request,
	.syn_recv_sock = tcp_v6_syn_recv_sock,
};

const struct inet_connection_sock_af_ops ipv6_mapped = {
	.queue_xmit = tcp_v6_mapped_xmit,
	.conn_request = tcp_v6_conn_request,
	.syn_recv_sock = tcp_v6_syn_recv_sock,
};

/* To an address of version 4: tcp_v4_connect does the rest. */
int tcp_v6_connect_mapped(struct sock *sk, const struct sockaddr_in6 *usin)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = usin->sin6_port };
	int error;
	if (sk->__sk_common.skc_ipv6only)
		return -ENETUNREACH;
	sin.sin_addr.s_addr = usin->sin6_addr.s6_addr32[3];
	inet_csk(sk)->icsk_af_ops = &ipv6_mapped;
	error = tcp_v4_connect(sk, (struct sockaddr *)&sin, sizeof(sin));
	if (error)
		inet_csk(sk)->icsk_af_ops = &ipv6_specific;
	inet_sk(sk)->pinet6->saddr = sk->__sk_common.skc_v6_rcv_saddr;
	return error;
}

int __tcp_v6_connect(struct sock *sk, const struct sockaddr_in6 *usin, int addr_len)
{
	struct sock_common *c = &sk->__sk_common;
	struct in6_addr daddr = usin->sin6_addr;
	if (addr_len < 24)
		return -EINVAL;
	if (usin->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (ipv6_addr_any(&daddr))
		daddr = in6addr_loopback;
	if (!ipv6_addr_loopback(&daddr) || ipv6_addr_v4mapped(&c->skc_v6_rcv_saddr))
		return -ENETUNREACH;
	if (ipv6_addr_any(&c->skc_v6_rcv_saddr))
		c->skc_v6_rcv_saddr = inet_sk(sk)->pinet6->saddr = in6addr_loopback;
	c->skc_v6_daddr = daddr;
	c->skc_rcv_saddr = LOOPBACK4_IPV6;
	c->skc_dport = usin->sin6_port;
	return tcp_connect_from(sk);
}

int tcp_v6_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len)
{
	const struct sockaddr_in6 *usin = (const struct sockaddr_in6 *)uaddr;
	int error;
	if (usin->sin6_family == AF_INET6 && ipv6_addr_v4mapped(&usin->sin6_addr))
		return tcp_v6_connect_mapped(sk, usin);
	error = __tcp_v6_connect(sk, usin, addr_len);
	journal_sock(J_TCP_CONNECT, sk, pid_tgid(current), swab16(inet_sk(sk)->inet_sport), swab16(usin->sin6_port), (u64)error);
	return error;
}

/* Also for a request that came by version 4, whose socket is one of version 6 all the same. */
struct sock *tcp_v6_syn_recv_sock(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst,
				  struct request_sock *req_unhash, bool *own_req)
{
	struct sock *newsk;
	journal(J_TCP_CHILD, (u64)sk, READ_ONCE(sk->sk_ack_backlog), sk->sk_max_ack_backlog, AF_INET6);
	if (skb->protocol == swab16(ETH_P_IP)) {
		newsk = tcp_v4_syn_recv_sock(sk, skb, req, dst, req_unhash, own_req);
	} else {
		newsk = sk_acceptq_is_full(sk) ? NULL : tcp_create_openreq_child(sk, req, skb);
		if (newsk) {
			tcp_name_child(sk, newsk, req);
			*own_req = inet_ehash_replace(&req_unhash->__req_common, &newsk->__sk_common);
		}
	}
	if (!newsk)
		return NULL;
	inet_csk(newsk)->icsk_af_ops = skb->protocol == swab16(ETH_P_IP) ? &ipv6_mapped : &ipv6_specific;
	inet_sk(newsk)->pinet6 = &((struct tcp6_sock *)newsk)->inet6;
	inet_sk(newsk)->pinet6->saddr = newsk->__sk_common.skc_v6_rcv_saddr;
	return newsk;
}

int tcp_v6_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	return tcp_v4_do_rcv(sk, skb);
}

int tcp_v6_rcv(struct sk_buff *skb) { return tcp_rcv(skb); }
