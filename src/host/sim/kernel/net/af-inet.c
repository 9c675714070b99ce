/* Stream sockets of AF_INET and AF_INET6: bind, listen, connect, accept, and their options. */
#include "net.h"

#define SOCK_MIN_RCVBUF 2304
#define SOCK_MIN_SNDBUF 4608
#define SIN6_LEN_RFC2133 24
#define PROT_SOCK 1024

void inet_journal_bind(const struct sock *sk, int result)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct sock_common *c = &sk->__sk_common;
	u64 options = (u64)inet->freebind | (u64)inet->transparent << 1 | (u64)inet->bind_address_no_port << 2 |
		      (u64)c->skc_reuse << 3 | (u64)c->skc_reuseport << 4;
	journal_sock(J_BIND, sk, pid_tgid(current), (u64)sk, options, (u64)result);
}

/* The socket has its address already; port 0 is any. */
int inet_bind_port(struct sock *sk, u16 snum)
{
	struct inet_sock *inet = inet_sk(sk);
	struct sock_common *c = &sk->__sk_common;
	if ((snum || !inet->bind_address_no_port) && sk->sk_prot->get_port(sk, snum)) {
		inet->inet_saddr = c->skc_rcv_saddr = 0;
		memset(&c->skc_v6_rcv_saddr, 0, sizeof(c->skc_v6_rcv_saddr));
		return -EADDRINUSE;
	}
	if (snum)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	inet->inet_sport = swab16(c->skc_num);
	c->skc_daddr = 0;
	c->skc_dport = 0;
	return 0;
}

bool may_bind_port(u16 port) { return !port || port >= PROT_SOCK || ns_capable(&init_user_ns, CAP_NET_BIND_SERVICE); }

int __inet_bind(struct sock *sk, const struct sockaddr_in *addr)
{
	struct sock_common *c = &sk->__sk_common;
	__be32 saddr = addr->sin_addr.s_addr;
	if (addr->sin_family != AF_INET && (addr->sin_family != AF_UNSPEC || saddr))
		return -EAFNOSUPPORT;
	if (saddr && !ipv4_is_loopback(saddr) && !inet_sk(sk)->freebind && !inet_sk(sk)->transparent)
		return -EADDRNOTAVAIL;
	if (!may_bind_port(swab16(addr->sin_port)))
		return -EACCES;
	if (c->skc_state != TCP_CLOSE || c->skc_num)
		return -EINVAL;
	c->skc_rcv_saddr = inet_sk(sk)->inet_saddr = saddr;
	if (saddr)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	return inet_bind_port(sk, swab16(addr->sin_port));
}

int inet_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len)
{
	struct sock *sk = sock->sk;
	int error = -EINVAL;
	if (addr_len >= (int)sizeof(struct sockaddr_in)) {
		lock_sock(sk);
		error = __inet_bind(sk, (const struct sockaddr_in *)uaddr);
		release_sock(sk);
	}
	inet_journal_bind(sk, error);
	return error;
}

/* Which address of version 4 goes with one of version 6; false if this machine has it not. */
bool inet6_v4_address(const struct sock *sk, const struct in6_addr *addr, __be32 *v4addr)
{
	bool anything = inet_sk(sk)->freebind || inet_sk(sk)->transparent;
	*v4addr = LOOPBACK4_IPV6;
	if (ipv6_addr_v4mapped(addr)) {
		*v4addr = addr->s6_addr32[3];
		return anything || !*v4addr || ipv4_is_loopback(*v4addr);
	}
	if (!ipv6_addr_any(addr))
		return anything || ipv6_addr_loopback(addr);
	*v4addr = 0;
	return true;
}

int __inet6_bind(struct sock *sk, const struct sockaddr_in6 *addr)
{
	struct sock_common *c = &sk->__sk_common;
	bool was_only = c->skc_ipv6only;
	__be32 v4addr;
	int error;
	if (addr->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (ipv6_addr_v4mapped(&addr->sin6_addr) && c->skc_ipv6only)
		return -EINVAL;
	if (!inet6_v4_address(sk, &addr->sin6_addr, &v4addr))
		return -EADDRNOTAVAIL;
	if (!may_bind_port(swab16(addr->sin6_port)))
		return -EACCES;
	if (c->skc_state != TCP_CLOSE || c->skc_num)
		return -EINVAL;
	inet_sk(sk)->inet_saddr = c->skc_rcv_saddr = v4addr;
	c->skc_v6_rcv_saddr = inet_sk(sk)->pinet6->saddr = addr->sin6_addr;
	if (!ipv6_addr_any(&addr->sin6_addr) && !ipv6_addr_v4mapped(&addr->sin6_addr))
		c->skc_ipv6only = 1;
	error = inet_bind_port(sk, swab16(addr->sin6_port));
	if (error)
		c->skc_ipv6only = was_only;
	else if (!ipv6_addr_any(&addr->sin6_addr))
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	return error;
}

int inet6_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len)
{
	struct sock *sk = sock->sk;
	int error = -EINVAL;
	if (addr_len >= SIN6_LEN_RFC2133) {
		lock_sock(sk);
		error = __inet6_bind(sk, (const struct sockaddr_in6 *)uaddr);
		release_sock(sk);
	}
	inet_journal_bind(sk, error);
	return error;
}

/* The socket is locked. */
int __inet_listen_sk(struct sock *sk, int backlog)
{
	unsigned char old_state = sk->__sk_common.skc_state;
	if (sk->sk_socket->state != SS_UNCONNECTED || (old_state != TCP_CLOSE && old_state != TCP_LISTEN))
		return -EINVAL;
	WRITE_ONCE(sk->sk_max_ack_backlog, (u32)backlog);
	return old_state == TCP_LISTEN ? 0 : inet_csk_listen_start(sk);
}

int inet_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int error;
	lock_sock(sk);
	error = __inet_listen_sk(sk, backlog);
	release_sock(sk);
	journal_sock(J_LISTEN, sk, pid_tgid(current), (u64)sk, (u64)backlog, (u64)error);
	return error;
}

/* Sends the SYN and waits for what comes of it, or waits on after a signal. The socket is locked. */
int __inet_stream_connect(struct socket *sock, struct sockaddr *uaddr, int addr_len)
{
	struct sock *sk = sock->sk;
	int error;
	if (sock->state == SS_CONNECTED)
		return -EISCONN;
	if (sock->state == SS_UNCONNECTED) {
		if (sk->__sk_common.skc_state != TCP_CLOSE)
			return -EINVAL;
		error = sk->sk_prot->connect(sk, uaddr, addr_len);
		if (error)
			return error;
		sock->state = SS_CONNECTING;
	}
	if (sk_stream_wait_connect(sk))
		return -ERESTARTSYS;
	if (sk->__sk_common.skc_state == TCP_CLOSE) {
		sock->state = SS_UNCONNECTED;
		error = sk->sk_err ? -sk->sk_err : -ECONNREFUSED;
		sk->sk_err = 0;
		return error;
	}
	sock->state = SS_CONNECTED;
	return 0;
}

int inet_stream_connect(struct socket *sock, struct sockaddr *uaddr, int addr_len, int flags)
{
	int error;
	(void)flags;
	lock_sock(sock->sk);
	error = __inet_stream_connect(sock, uaddr, addr_len);
	release_sock(sock->sk);
	return error;
}

int inet_accept(struct socket *sock, struct socket *newsock, int flags, bool kern)
{
	int error = -EINVAL;
	struct sock *sk = sock->sk->sk_prot->accept(sock->sk, flags, &error, kern);
	if (!sk)
		return error;
	newsock->sk = sk;
	newsock->state = SS_CONNECTED;
	sk->sk_socket = newsock;
	return 0;
}

int inet_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int error = 0;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	how++;
	lock_sock(sk);
	switch (sk->__sk_common.skc_state) {
	case TCP_CLOSE:
		error = -ENOTCONN;
		break;
	case TCP_LISTEN:
	case TCP_SYN_SENT:
		error = -EINVAL;
		break;
	default:
		sk->sk_shutdown |= (unsigned char)how;
		tcp_shutdown(sk, how);
	}
	if (!error)
		sock_def_wakeup(sk);
	release_sock(sk);
	return error;
}

/* No task has the socket any more. */
int inet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	if (!sk)
		return 0;
	sock->sk = NULL;
	sk->sk_prot->close(sk, 0);
	return 0;
}

const struct proto_ops inet_stream_ops = {
	.family = AF_INET,
	.bind = inet_bind,
	.connect = inet_stream_connect,
	.accept = inet_accept,
	.listen = inet_listen,
	.shutdown = inet_shutdown,
	.release = inet_release,
};

const struct proto_ops inet6_stream_ops = {
	.family = AF_INET6,
	.bind = inet6_bind,
	.connect = inet_stream_connect,
	.accept = inet_accept,
	.listen = inet_listen,
	.shutdown = inet_shutdown,
	.release = inet_release,
};

/* Buffers are twice what was asked for: the rest is what packets cost besides their data. */
int sk_setsockopt(struct sock *sk, int optname, int value)
{
	switch (optname) {
	case SO_REUSEADDR:
		sk->__sk_common.skc_reuse = value ? 1 : 0;
		return 0;
	case SO_REUSEPORT:
		sk->__sk_common.skc_reuseport = value ? 1 : 0;
		return 0;
	case SO_RCVBUF:
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
		sk->sk_rcvbuf = max(value * 2, SOCK_MIN_RCVBUF);
		return 0;
	case SO_SNDBUF:
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
		sk->sk_sndbuf = max(value * 2, SOCK_MIN_SNDBUF);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip_setsockopt(struct sock *sk, int optname, int value)
{
	switch (optname) {
	case IP_FREEBIND:
		inet_sk(sk)->freebind = value ? 1 : 0;
		return 0;
	case IP_TRANSPARENT:
		inet_sk(sk)->transparent = value ? 1 : 0;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
		inet_sk(sk)->bind_address_no_port = value ? 1 : 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ipv6_setsockopt(struct sock *sk, int optname, int value)
{
	if (optname != IPV6_V6ONLY || sk->__sk_common.skc_family != AF_INET6)
		return -ENOPROTOOPT;
	if (sk->__sk_common.skc_num)
		return -EINVAL;
	sk->__sk_common.skc_ipv6only = value ? 1 : 0;
	return 0;
}

int sock_setsockopt(struct socket *sock, int level, int optname, int value)
{
	int error = -ENOPROTOOPT;
	lock_sock(sock->sk);
	if (level == SOL_SOCKET)
		error = sk_setsockopt(sock->sk, optname, value);
	else if (level == SOL_IP)
		error = ip_setsockopt(sock->sk, optname, value);
	else if (level == SOL_IPV6)
		error = ipv6_setsockopt(sock->sk, optname, value);
	release_sock(sock->sk);
	return error;
}
