/* TCP: states, sockets, requests for a connection, sockets in time-wait. */
#pragma once
#include "sock.h"

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
	TCP_NEW_SYN_RECV = 12,
};
enum tcp_ca_state { TCP_CA_Open, TCP_CA_Disorder, TCP_CA_CWR, TCP_CA_Recovery, TCP_CA_Loss };

#define TCPHDR_FIN 1
#define TCPHDR_SYN 2
#define TCPHDR_RST 4
#define TCPHDR_PSH 8
#define TCPHDR_ACK 16

/* Bytes of data in a segment. */
#define TCP_MSS 2048u
#define TCP_MAX_WINDOW 65535u
#define TCP_INIT_CWND 10u
#define TCP_FASTRETRANS_THRESH 3u
#define TCP_TIMEOUT_INIT_MS 1000
#define TCP_RTO_MIN_MS 200
#define TCP_RTO_MAX_MS 120000
#define TCP_TIMEWAIT_LEN_MS 60000
#define TCP_SYN_RETRIES 6
#define TCP_SYNACK_RETRIES 5
#define TCP_RETR2 15
#define TCP_ORPHAN_RETRIES 8
#define ICSK_TIME_RETRANS 1
#define ICSK_TIME_PROBE0 3

/* TCP's notes on a packet: its place in the stream, and what is known of it. */
struct tcp_skb_cb {
	u32 seq;
	u32 end_seq;
	u8 tcp_flags;
	/* It was sent more than once. */
	u8 sacked;
	u32 ack_seq;
	ktime_t sent_at;
};
#define TCP_SKB_CB(skb) ((struct tcp_skb_cb *)&(skb)->cb[0])

struct dst_entry;
struct request_sock;
struct inet_bind_bucket;

/* What differs between the two versions of IP. */
struct inet_connection_sock_af_ops {
	int (*queue_xmit)(struct sock *sk, struct sk_buff *skb);
	int (*conn_request)(struct sock *sk, struct sk_buff *skb);
	struct sock *(*syn_recv_sock)(const struct sock *sk, struct sk_buff *skb, struct request_sock *req,
				      struct dst_entry *dst, struct request_sock *req_unhash, bool *own_req);
};
extern const struct inet_connection_sock_af_ops ipv4_specific, ipv6_specific, ipv6_mapped;

/* A connection that the other end asked for; with `sk` it waits to be accepted. */
struct request_sock {
	struct sock_common __req_common;
	struct list_head dl_next;
	u8 num_retrans;
	u8 num_timeout;
	struct timer_list rsk_timer;
	struct sock *sk;
};
#define rsk_listener __req_common.skc_listener
struct tcp_request_sock {
	struct request_sock req;
	__be16 ir_sport;
	u32 rcv_isn;
	u32 snt_isn;
	ktime_t snt_synack;
};
static __always_inline struct tcp_request_sock *tcp_rsk(const struct request_sock *req)
{
	return (struct tcp_request_sock *)req;
}

struct request_sock_queue {
	spinlock_t rskq_lock;
	atomic_t qlen;
	struct list_head rskq_accept;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	struct inet_bind_bucket *icsk_bind_hash;
	struct timer_list icsk_retransmit_timer;
	const struct inet_connection_sock_af_ops *icsk_af_ops;
	u32 icsk_rto;
	u8 icsk_retransmits;
	u8 icsk_backoff;
	u8 icsk_ca_state;
	/* What the timer waits for: ICSK_TIME_*, or 0. */
	u8 icsk_pending;
	u8 icsk_probes_out;
	struct {
		u8 pending;
	} icsk_ack;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 rcv_nxt;
	u32 copied_seq;
	u32 rcv_wup;
	u32 snd_nxt;
	u32 snd_una;
	u32 snd_wl1;
	u32 write_seq;
	u32 snd_wnd;
	/* The largest that the other end ever offered. */
	u32 max_window;
	u32 rcv_wnd;
	u32 window_clamp;
	u32 snd_cwnd;
	u32 snd_cwnd_cnt;
	u32 snd_ssthresh;
	u32 packets_out;
	u32 sacked_out;
	/* What was sent when the loss was noticed: recovery ends when it is acknowledged. */
	u32 high_seq;
	u32 srtt_us;
	u32 mdev_us;
	u32 segs_in;
	u32 segs_out;
	u32 data_segs_in;
	u32 data_segs_out;
	u32 total_retrans;
	u32 mss_cache;
	u32 rcv_ooopack;
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_acked;
	u64 bytes_retrans;
	/* Segments ahead of what is missing, by sequence number, without overlap. */
	struct sk_buff_head out_of_order_queue;
};
struct tcp6_sock {
	struct tcp_sock tcp;
	struct ipv6_pinfo inet6;
};

/* What is left of a connection that this end closed first. */
struct inet_timewait_sock {
	struct sock_common __tw_common;
	__be16 tw_sport;
	/* TCP_FIN_WAIT2 until the other end has closed too. */
	volatile unsigned char tw_substate;
	u32 tw_rcv_nxt;
	u32 tw_snd_nxt;
	u32 tw_rcv_wnd;
	struct inet_bind_bucket *tw_tb;
	struct timer_list tw_timer;
	spinlock_t tw_lock;
};

static __always_inline struct tcp_sock *tcp_sk(const struct sock *sk) { return (struct tcp_sock *)sk; }
static __always_inline struct inet_timewait_sock *inet_twsk(struct sock_common *common)
{
	return container_of(common, struct inet_timewait_sock, __tw_common);
}
static __always_inline struct request_sock *inet_reqsk(struct sock_common *common)
{
	return container_of(common, struct request_sock, __req_common);
}
static __always_inline struct sock *full_sk(struct sock_common *common)
{
	return container_of(common, struct sock, __sk_common);
}
static __always_inline struct inet_connection_sock *inet_csk(const struct sock *sk)
{
	return (struct inet_connection_sock *)sk;
}
static __always_inline bool before(u32 a, u32 b) { return (s32)(a - b) < 0; }
static __always_inline bool after(u32 a, u32 b) { return before(b, a); }

/* inet-hashtables.c */
struct inet_bind_bucket {
	struct list_head node;
	unsigned short port;
	struct list_head owners;
};
void inet_hashinfo_init(void);
void inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
void inet_ehash_insert(struct sock_common *common);
bool inet_ehash_remove(struct sock_common *common);
bool inet_ehash_replace(struct sock_common *old, struct sock_common *common);
void sock_gen_put(struct sock_common *common);
struct sock_common *inet_lookup(const struct sk_buff *skb);
struct sock *inet_lookup_listener(const struct sk_buff *skb);
int inet_csk_get_port(struct sock *sk, unsigned short snum);
void inet_put_port(struct sock *sk);
void __inet_inherit_port(const struct sock *sk, struct sock *child);
void inet_bind_bucket_put(struct inet_bind_bucket *tb, struct sock_common *owner);
void inet_bind_bucket_add(struct inet_bind_bucket *tb, struct sock_common *owner);

/* inet-connection-sock.c */
struct sock *inet_csk_accept(struct sock *sk, int flags, int *err, bool kern);
int inet_csk_listen_start(struct sock *sk);
void inet_csk_listen_stop(struct sock *sk);
void inet_csk_destroy_sock(struct sock *sk);
struct request_sock *inet_reqsk_alloc(struct sock *listener);
void inet_csk_reqsk_queue_hash_add(struct request_sock *req);
bool inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req);
struct sock *inet_csk_complete_hashdance(struct sock *sk, struct sock *child, struct request_sock *req, bool own_req);
struct sock *inet_csk_clone_lock(const struct sock *sk, const struct request_sock *req);
void reqsk_put(struct request_sock *req);
void reqsk_free(struct request_sock *req);
bool sk_acceptq_is_full(const struct sock *sk);
void request_sock_init(void);

/* tcp.c */
void tcp_init(void);
void tcp_init_sock(struct sock *sk);
void tcp_set_state(struct sock *sk, int state);
int tcp_sendmsg(struct sock *sk, const char *data, size_t size);
int tcp_recvmsg(struct sock *sk, char *data, size_t size);
void tcp_close(struct sock *sk, long timeout);
__poll_t tcp_poll(struct file *file, struct sock *sk, struct poll_table_struct *wait);
void tcp_shutdown(struct sock *sk, int how);
void tcp_done(struct sock *sk);
void tcp_v4_destroy_sock(struct sock *sk);

/* tcp-input.c */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb);
void tcp_rcv_established(struct sock *sk, struct sk_buff *skb);
int tcp_conn_request(struct sock *sk, struct sk_buff *skb);
void tcp_reset(struct sock *sk, struct sk_buff *skb);
u32 tcp_receive_window(const struct tcp_sock *tp);

/* tcp-ack.c */
int tcp_ack(struct sock *sk, const struct sk_buff *skb);
void tcp_enter_loss(struct sock *sk);

/* tcp-data.c */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb);

/* tcp-output.c */
u32 tcp_current_mss(const struct sock *sk);
int tcp_connect(struct sock *sk);
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb);
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb);
void tcp_queue_skb(struct sock *sk, struct sk_buff *skb);
void tcp_push_pending_frames(struct sock *sk);
void tcp_send_ack(struct sock *sk);
void tcp_send_fin(struct sock *sk);
void tcp_send_active_reset(struct sock *sk, gfp_t priority);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb);
int tcp_write_wakeup(struct sock *sk);
int tcp_rtx_synack(const struct sock *sk, struct request_sock *req);
void tcp_send_synack(const struct sock *sk, struct request_sock *req);
u32 __tcp_select_window(struct sock *sk);

/* What a packet without a socket of its own says: an answer, a reset. */
struct tcp_reply {
	u32 seq;
	u32 ack_seq;
	u16 window;
	u8 tcp_flags;
};
void tcp_write_header(struct sk_buff *skb, __be16 source, __be16 dest, const struct tcp_reply *reply);
void tcp_send_reply(const struct sk_buff *to, const struct tcp_reply *reply);

/* tcp-timer.c */
unsigned long msecs_to_jiffies(unsigned long ms);
void tcp_init_xmit_timers(struct sock *sk);
void tcp_reset_xmit_timer(struct sock *sk, int what, unsigned long when);
void tcp_rearm_rto(struct sock *sk);
void inet_csk_clear_xmit_timer(struct sock *sk);
unsigned long tcp_probe0_when(const struct sock *sk);

/* tcp-ipv4.c, tcp-ipv6.c */
int tcp_v4_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len);
int tcp_v6_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len);
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb);
int tcp_v4_rcv(struct sk_buff *skb);
int tcp_v6_rcv(struct sk_buff *skb);
int tcp_rcv(struct sk_buff *skb);
void tcp_v4_send_reset(const struct sock *sk, struct sk_buff *skb);
void tcp_v6_send_reset(const struct sock *sk, struct sk_buff *skb);
void tcp_send_reset(const struct sock *sk, struct sk_buff *skb);
int tcp_do_rcv(struct sock *sk, struct sk_buff *skb);
int tcp_v6_do_rcv(struct sock *sk, struct sk_buff *skb);
struct sock *tcp_v4_syn_recv_sock(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst,
				   struct request_sock *req_unhash, bool *own_req);
struct sock *tcp_v6_syn_recv_sock(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst,
				   struct request_sock *req_unhash, bool *own_req);
int tcp_connect_from(struct sock *sk);
void tcp_name_child(const struct sock *sk, struct sock *newsk, const struct request_sock *req);

/* tcp-minisocks.c */
enum tcp_tw_status { TCP_TW_SUCCESS, TCP_TW_RST, TCP_TW_ACK, TCP_TW_SYN };
void inet_twsk_init(void);
void tcp_time_wait(struct sock *sk, int state, unsigned long timeo);
enum tcp_tw_status tcp_timewait_state_process(struct inet_timewait_sock *tw, struct sk_buff *skb);
void inet_twsk_deschedule_put(struct inet_timewait_sock *tw);
void inet_twsk_free(struct inet_timewait_sock *tw);
struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req);
struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req, struct sk_buff *skb);
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb);
