/* Packets, sockets, and a TCP whose only device is the loopback. Linux's names, this kernel's own order. */
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
	TCP_CLOSING = 11,
};

#define IPPROTO_TCP 6
#define ETH_P_IP 0x0800
#define ETH_HLEN 14
#define LOOPBACK_IFINDEX 1
#define NET_XMIT_SUCCESS 0
#define NET_XMIT_DROP 1

struct net {
	atomic_t passive;
	struct ns_common ns;
};
extern struct net init_net;
typedef struct { struct net *net; } possible_net_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		__be16 u6_addr16[8];
		__be32 u6_addr32[4];
	} in6_u;
};

struct net_device {
	unsigned int mtu;
	int ifindex;
	char name[16];
	unsigned long tx_packets;
	unsigned long tx_dropped;
	unsigned long rx_packets;
};
extern struct net_device loopback_dev;

struct sk_buff_head {
	struct list_head list;
	u32 qlen;
	spinlock_t lock;
};
struct napi_struct {
	unsigned int napi_id;
	int weight;
	struct net_device *dev;
};

struct iphdr {
	u8 ihl : 4, version : 4;
	u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	u8 ttl;
	u8 protocol;
	u16 check;
	__be32 saddr;
	__be32 daddr;
};
struct tcphdr {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	u16 res1 : 4, doff : 4, fin : 1, syn : 1, rst : 1, psh : 1, ack : 1, urg : 1, ece : 1, cwr : 1;
	__be16 window;
	u16 check;
	__be16 urg_ptr;
};

/* TCP's notes on a packet: its place in the stream, and how much of it was read. */
struct tcp_skb_cb {
	u32 seq;
	u32 end_seq;
	u8 tcp_flags;
	u8 sacked;
	u32 ack_seq;
	u32 consumed;
	ktime_t sent_at;
};

struct sock;
struct sk_buff {
	struct list_head list;
	struct sock *sk;
	struct net_device *dev;
	char cb[48] __aligned(8);
	unsigned int len;
	unsigned int data_len;
	u16 mac_len;
	u16 hdr_len;
	u16 queue_mapping;
	u8 pkt_type;
	u8 ip_summed;
	u32 priority;
	int skb_iif;
	u32 hash;
	u32 mark;
	__be16 protocol;
	u16 transport_header;
	u16 network_header;
	u16 mac_header;
	unsigned int tail;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
	unsigned int truesize;
	ktime_t tstamp;
};
#define TCP_SKB_CB(skb) ((struct tcp_skb_cb *)&(skb)->cb[0])

static __always_inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)(skb->head + skb->network_header);
}
static __always_inline struct tcphdr *tcp_hdr(const struct sk_buff *skb)
{
	return (struct tcphdr *)(skb->head + skb->transport_header);
}

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
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		long counter;
	} skc_cookie;
};

struct socket;
struct sock {
	struct socket *sk_socket;
	struct sock_common __sk_common;
	int sk_err;
	int sk_rcvbuf;
	int sk_sndbuf;
	atomic_t sk_drops;
	struct sk_buff_head sk_receive_queue;
	/* Sent and not acknowledged, oldest first. */
	struct sk_buff_head sk_write_queue;
	/* Packets that came while a task had the socket. */
	struct sk_buff_head sk_backlog;
	struct wait_queue_head sk_wq;
	unsigned char sk_shutdown;
	u16 sk_protocol;
	u16 sk_type;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	u32 sk_mark;
	struct list_head accept_queue;
	struct list_head accept_node;
	struct sock *sk_listener;
	struct timer_list sk_timer;
	/* No task has it; the network still may. */
	bool sk_dead;
	bool sk_destroyed;
	spinlock_t accept_lock;
	spinlock_t sk_lock;
	volatile int sk_lock_owned;
	struct wait_queue_head sk_lock_wq;
};

struct inet_sock {
	struct sock sk;
	__be32 inet_saddr;
	__be16 inet_sport;
	u16 inet_id;
	u8 tos;
	u8 freebind : 1, transparent : 1, bind_address_no_port : 1;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct timer_list icsk_retransmit_timer;
	u32 icsk_rto;
	u8 icsk_retransmits;
	u8 icsk_backoff;
	u8 icsk_ca_state;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 rcv_nxt;
	u32 copied_seq;
	u32 snd_nxt;
	u32 snd_una;
	u32 write_seq;
	u32 snd_wnd;
	u32 rcv_wnd;
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u32 srtt_us;
	u32 mdev_us;
	u32 segs_in;
	u32 segs_out;
	u32 data_segs_in;
	u32 data_segs_out;
	u32 total_retrans;
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_acked;
	u64 bytes_retrans;
};
static __always_inline struct tcp_sock *tcp_sk(const struct sock *sk) { return (struct tcp_sock *)sk; }
static __always_inline struct inet_sock *inet_sk(const struct sock *sk) { return (struct inet_sock *)sk; }
static __always_inline struct inet_connection_sock *inet_csk(const struct sock *sk)
{
	return (struct inet_connection_sock *)sk;
}
static __always_inline bool before(u32 a, u32 b) { return (s32)(a - b) < 0; }
static __always_inline bool after(u32 a, u32 b) { return before(b, a); }

struct socket {
	int state;
	short type;
	struct file *file;
	struct sock *sk;
};

#define TCPHDR_FIN 1
#define TCPHDR_SYN 2
#define TCPHDR_RST 4
#define TCPHDR_PSH 8
#define TCPHDR_ACK 16

static __always_inline __be32 swab32(u32 x)
{
	return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}

void net_init(void);
struct sock *sk_alloc(void);
void sock_hold(struct sock *sk);
void sock_put(struct sock *sk);
void lock_sock(struct sock *sk);
void release_sock(struct sock *sk);
void sock_def_readable(struct sock *sk);
int tcp_v4_connect(struct sock *sk, struct sockaddr_in *uaddr, int addr_len);
struct sock *inet_csk_accept(struct sock *sk, int *error);
int inet_csk_listen_start(struct sock *sk, int backlog);
int inet_csk_get_port(struct sock *sk, u16 port);
__poll_t tcp_poll(struct file *file, struct sock *sk, struct poll_table_struct *wait);
long tcp_sendmsg(struct sock *sk, const char *data, size_t size);
long tcp_recvmsg(struct sock *sk, char *data, size_t size);
void tcp_close(struct sock *sk);
void tcp_done(struct sock *sk);
void tcp_reset(struct sock *sk, struct sk_buff *skb);
void tcp_set_state(struct sock *sk, int state);
int tcp_v4_rcv(struct sk_buff *skb);
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb);
void tcp_send_ack(struct sock *sk);
void tcp_send_fin(struct sock *sk);
int tcp_queue_skb(struct sock *sk, u8 flags, const void *data, size_t len);
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb);
void tcp_write_timer(struct timer_list *timer);
struct sock *__inet_lookup(__be32 saddr, __be16 sport, __be32 daddr, u16 dport);
void inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
struct sk_buff *alloc_skb(unsigned int size, gfp_t gfp);
struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp);
void *skb_put(struct sk_buff *skb, unsigned int len);
void *skb_push(struct sk_buff *skb, unsigned int len);
void *skb_pull(struct sk_buff *skb, unsigned int len);
void skb_reserve(struct sk_buff *skb, unsigned int len);
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason);
void consume_skb(struct sk_buff *skb);
void __kfree_skb(struct sk_buff *skb);
void skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb);
struct sk_buff *skb_dequeue(struct sk_buff_head *list);
void skb_queue_head_init(struct sk_buff_head *list);
int ip_queue_xmit(struct sk_buff *skb, __be32 saddr, __be32 daddr);
void net_rx_action(void);
