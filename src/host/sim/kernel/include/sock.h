/* Sockets: what all have, what those of the internet have, and the calls on them. */
#pragma once
#include "journal.h"
#include "skbuff.h"

enum socket_state { SS_FREE, SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING };

struct proto;
struct sock;
struct socket;

/* What full sockets, requests for a connection and sockets in time-wait share: how packets find them. */
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	unsigned char skc_net_refcnt : 1;
	__be32 skc_rcv_saddr;
	__be32 skc_daddr;
	unsigned short skc_num;
	__be16 skc_dport;
	int skc_bound_dev_if;
	struct list_head skc_node;
	struct list_head skc_bind_node;
	atomic_t skc_refcnt;
	struct proto *skc_prot;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	union {
		unsigned long skc_flags;
		/* Of a request: who listens. */
		struct sock *skc_listener;
	};
	struct {
		long counter;
	} skc_cookie;
};

enum sock_flags { SOCK_DEAD, SOCK_DONE };

#define RCV_SHUTDOWN 1
#define SEND_SHUTDOWN 2
#define SHUTDOWN_MASK 3
#define SOCK_SNDBUF_LOCK 1
#define SOCK_RCVBUF_LOCK 2
#define SOCK_BINDADDR_LOCK 4
#define SOCK_BINDPORT_LOCK 8

typedef struct {
	spinlock_t slock;
	volatile int owned;
	struct wait_queue_head wq;
} socket_lock_t;

struct sock {
	struct socket *sk_socket;
	struct sock_common __sk_common;
	int sk_err;
	int sk_rcvbuf;
	int sk_sndbuf;
	int sk_wmem_queued;
	/* Bytes of memory that the protocol has counted for this socket and that no packet uses. */
	int sk_forward_alloc;
	atomic_t sk_drops;
	struct sk_buff_head sk_receive_queue;
	/* Not sent yet, in the order of the stream. */
	struct sk_buff_head sk_write_queue;
	/* Sent and not acknowledged, oldest first. */
	struct sk_buff_head tcp_rtx_queue;
	struct {
		/* Truesizes of the packets that wait for the reader. */
		atomic_t rmem_alloc;
		int len;
		/* Packets that came while a task had the socket. */
		struct sk_buff_head queue;
	} sk_backlog;
	struct wait_queue_head sk_wq;
	unsigned char sk_shutdown;
	unsigned char sk_userlocks;
	u16 sk_protocol;
	u16 sk_type;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	u32 sk_mark;
	socket_lock_t sk_lock;
};
#define sk_prot __sk_common.skc_prot
#define sk_rmem_alloc sk_backlog.rmem_alloc

struct ipv6_pinfo {
	struct in6_addr saddr;
};

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	__be32 inet_saddr;
	__be16 inet_sport;
	u16 inet_id;
	u8 tos;
	u8 freebind : 1, transparent : 1, bind_address_no_port : 1;
};
static __always_inline struct inet_sock *inet_sk(const struct sock *sk) { return (struct inet_sock *)sk; }

struct proto_ops {
	int family;
	int (*bind)(struct socket *sock, struct sockaddr *uaddr, int addr_len);
	int (*connect)(struct socket *sock, struct sockaddr *uaddr, int addr_len, int flags);
	int (*accept)(struct socket *sock, struct socket *newsock, int flags, bool kern);
	int (*listen)(struct socket *sock, int backlog);
	int (*shutdown)(struct socket *sock, int how);
	int (*release)(struct socket *sock);
};

struct proto {
	void (*close)(struct sock *sk, long timeout);
	int (*connect)(struct sock *sk, struct sockaddr *uaddr, int addr_len);
	struct sock *(*accept)(struct sock *sk, int flags, int *err, bool kern);
	int (*get_port)(struct sock *sk, unsigned short snum);
	/* Pages of all sockets of the protocol, and the three bounds: no pressure, pressure, no more. */
	volatile long *memory_allocated;
	long *sysctl_mem;
	struct kmem_cache *slab;
	char name[32];
};
extern struct proto tcp_prot, tcpv6_prot;
extern const struct proto_ops inet_stream_ops, inet6_stream_ops;

struct socket {
	enum socket_state state;
	short type;
	unsigned long flags;
	struct file *file;
	struct sock *sk;
	const struct proto_ops *ops;
};

static __always_inline bool sock_flag(const struct sock *sk, enum sock_flags flag)
{
	return sk->__sk_common.skc_flags >> flag & 1;
}
static __always_inline void sock_set_flag(struct sock *sk, enum sock_flags flag)
{
	sk->__sk_common.skc_flags |= 1UL << flag;
}

static __always_inline bool ipv6_addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;
	return x[0] == y[0] && x[1] == y[1];
}
static __always_inline bool ipv6_addr_any(const struct in6_addr *a)
{
	const u64 *x = (const u64 *)a;
	return !(x[0] | x[1]);
}
/* The last 32 bits after 80 of zero and 16 of one are an address of version 4. */
static __always_inline bool ipv6_addr_v4mapped(const struct in6_addr *a)
{
	const u32 *x = a->s6_addr32;
	return !(x[0] | x[1]) && x[2] == 0xffff0000u;
}
static __always_inline void ipv6_addr_set_v4mapped(__be32 addr, struct in6_addr *a)
{
	*a = (struct in6_addr){ { .u6_addr32 = { 0, 0, 0xffff0000u, addr } } };
}
static __always_inline bool ipv6_addr_loopback(const struct in6_addr *a)
{
	const u32 *x = a->s6_addr32;
	return !(x[0] | x[1] | x[2]) && x[3] == 0x01000000u;
}
static __always_inline bool ipv4_is_loopback(__be32 addr) { return (addr & 0xff) == 127; }

/* What an AF_INET6 socket has for an address where one of version 4 is asked for. */
#define LOOPBACK4_IPV6 0x0600007fu

struct sock *sk_alloc(struct proto *prot, int family, gfp_t gfp);
struct sock *sk_clone_lock(const struct sock *sk, gfp_t gfp);
void sk_free(struct sock *sk);
void sock_hold(struct sock *sk);
void sock_put(struct sock *sk);
void lock_sock(struct sock *sk);
void release_sock(struct sock *sk);
void __release_sock(struct sock *sk);
bool sk_add_backlog(struct sock *sk, struct sk_buff *skb);
void sock_def_readable(struct sock *sk);
void sock_def_wakeup(struct sock *sk);
void sock_def_error_report(struct sock *sk);
void sk_error_report(struct sock *sk);
void sk_stream_write_space(struct sock *sk);
int sk_stream_wait_connect(struct sock *sk);
int sk_stream_wait_memory(struct sock *sk);
int sk_wait_data(struct sock *sk);
bool sk_wmem_schedule(struct sock *sk, int size);
bool sk_rmem_schedule(struct sock *sk, struct sk_buff *skb, int size);
void sk_mem_charge(struct sock *sk, int size);
void sk_mem_uncharge(struct sock *sk, int size);
void sk_mem_reclaim_final(struct sock *sk);
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);
void sock_rfree(struct sk_buff *skb);
long sock_map_fd(struct socket *sock);
void journal_sock(enum journal_kind kind, const struct sock *sk, u64 a, u64 b, u64 c, u64 d);
bool inet_rcv_saddr_local(const struct in6_addr *addr);
int inet_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len);
int inet6_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len);
int inet_listen(struct socket *sock, int backlog);
int sock_setsockopt(struct socket *sock, int level, int optname, int value);
void net_init(void);
