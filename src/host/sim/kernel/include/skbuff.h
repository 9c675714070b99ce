/* Packets, their headers, and the device they cross. Linux's names, this kernel's own order. */
#pragma once
#include "fs.h"
#include "irq.h"
#include "uapi.h"

#define IPPROTO_TCP 6
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_HLEN 14
#define LOOPBACK_IFINDEX 1
#define NET_RX_SUCCESS 0
#define NET_RX_DROP 1
#define NET_XMIT_SUCCESS 0

struct net {
	atomic_t passive;
	struct ns_common ns;
};
extern struct net init_net;
typedef struct { struct net *net; } possible_net_t;

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
struct ipv6hdr {
	u8 priority : 4, version : 4;
	u8 flow_lbl[3];
	__be16 payload_len;
	u8 nexthdr;
	u8 hop_limit;
	struct in6_addr saddr;
	struct in6_addr daddr;
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
	/* Its truesize counts in the receive memory of `sk`. */
	bool rmem_charged;
	ktime_t tstamp;
};

static __always_inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)(skb->head + skb->network_header);
}
static __always_inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (struct ipv6hdr *)(skb->head + skb->network_header);
}
static __always_inline struct tcphdr *tcp_hdr(const struct sk_buff *skb)
{
	return (struct tcphdr *)(skb->head + skb->transport_header);
}

static __always_inline __be32 swab32(u32 x)
{
	return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}

struct sk_buff *alloc_skb(unsigned int size, gfp_t gfp);
struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp);
void *skb_put(struct sk_buff *skb, unsigned int len);
void *skb_push(struct sk_buff *skb, unsigned int len);
void *skb_pull(struct sk_buff *skb, unsigned int len);
void skb_trim(struct sk_buff *skb, unsigned int len);
void skb_reserve(struct sk_buff *skb, unsigned int len);
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason);
void consume_skb(struct sk_buff *skb);
void __kfree_skb(struct sk_buff *skb);
void skb_queue_head_init(struct sk_buff_head *queue);
void skb_queue_tail(struct sk_buff_head *queue, struct sk_buff *skb);
void skb_unlink(struct sk_buff *skb, struct sk_buff_head *queue);
struct sk_buff *skb_dequeue(struct sk_buff_head *queue);
void skb_queue_purge(struct sk_buff_head *queue);
/* The first packet of a queue, or NULL. */
static __always_inline struct sk_buff *skb_peek(const struct sk_buff_head *queue)
{
	return list_empty(&queue->list) ? NULL : list_first_entry(&queue->list, struct sk_buff, list);
}

int __dev_queue_xmit(struct sk_buff *skb);
int netif_rx(struct sk_buff *skb);
int ip_queue_xmit(struct sk_buff *skb, __be32 saddr, __be32 daddr);
int ip_rcv(struct sk_buff *skb);
int ip6_xmit(struct sk_buff *skb, const struct in6_addr *saddr, const struct in6_addr *daddr);
int ipv6_rcv(struct sk_buff *skb);
void net_rx_action(void);
