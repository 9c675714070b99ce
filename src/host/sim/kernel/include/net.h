/* Sockets and a TCP that knows the loopback device only. */
#pragma once
#include "fs.h"
#include "irq.h"

enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
};

struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse;
	__be32 skc_rcv_saddr;
	__be32 skc_daddr;
	unsigned short skc_num;
	__be16 skc_dport;
	int skc_bound_dev_if;
	struct list_head skc_node;
	atomic_t skc_refcnt;
};

struct sk_buff {
	struct list_head list;
	unsigned int len;
	unsigned int data_len;
	u8 tcp_flags;
	__be16 source;
	__be16 dest;
	__be32 saddr;
	__be32 daddr;
	u32 seq;
	u32 consumed;
	unsigned char *data;
	struct sock *sk;
};

struct sk_buff_head {
	struct list_head list;
	u32 qlen;
	spinlock_t lock;
};

struct socket;
struct sock {
	struct socket *sk_socket;
	struct sock_common __sk_common;
	int sk_err;
	int sk_rcvbuf;
	int sk_sndbuf;
	struct sk_buff_head sk_receive_queue;
	struct wait_queue_head sk_wq;
	unsigned char sk_shutdown;
	int sk_ack_backlog;
	int sk_max_ack_backlog;
	struct list_head accept_queue;
	struct list_head accept_node;
	struct sock *sk_listener;
	struct timer_list sk_timer;
	u32 write_seq;
	u32 rcv_nxt;
	u64 bytes_received;
	u64 bytes_sent;
	spinlock_t sk_lock;
};

struct socket {
	int state;
	short type;
	struct file *file;
	struct sock *sk;
};

#define TCPHDR_FIN 1
#define TCPHDR_SYN 2
#define TCPHDR_RST 4
#define TCPHDR_ACK 16

void net_init(void);
struct sock *sk_alloc(void);
void sock_hold(struct sock *sk);
void sock_put(struct sock *sk);
int tcp_v4_connect(struct sock *sk, struct sockaddr_in *uaddr, int addr_len);
struct sock *inet_csk_accept(struct sock *sk, int *error);
int inet_csk_listen_start(struct sock *sk, int backlog);
int inet_csk_get_port(struct sock *sk, u16 port);
long tcp_sendmsg(struct sock *sk, const char *data, size_t size);
long tcp_recvmsg(struct sock *sk, char *data, size_t size);
void tcp_close(struct sock *sk);
void tcp_done(struct sock *sk);
void tcp_set_state(struct sock *sk, int state);
void tcp_v4_rcv(struct sk_buff *skb);
void tcp_transmit_skb(struct sock *sk, u8 flags, const void *data, size_t len);
void tcp_time_wait(struct sock *sk);
struct sock *__inet_lookup(__be16 sport, u16 dport);
void inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
struct sk_buff *alloc_skb(unsigned int size, gfp_t gfp);
void kfree_skb(struct sk_buff *skb);
void ip_queue_xmit(struct sk_buff *skb);
void net_rx_action(void);
