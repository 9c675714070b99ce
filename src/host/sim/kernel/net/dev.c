/* The way of a packet: through IP to the loopback device, which may lose it, and back up in the softirq. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

#define NAPI_WEIGHT 64

struct net init_net = { .passive = { 1 }, .ns = { .inum = 4026531840u } };
struct net_device loopback_dev = { .mtu = 65536, .ifindex = LOOPBACK_IFINDEX, .name = "lo" };
/* Of a thousand packets, how many the device loses. */
u32 loopback_loss;

static struct softnet_data {
	struct sk_buff_head input_pkt_queue;
	struct napi_struct backlog;
} softnet_data[NR_CPUS];

void net_dev_init(void)
{
	unsigned int cpu;
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		skb_queue_head_init(&softnet_data[cpu].input_pkt_queue);
		softnet_data[cpu].backlog.weight = NAPI_WEIGHT;
	}
}

int enqueue_to_backlog(struct sk_buff *skb, int cpu)
{
	skb_queue_tail(&softnet_data[cpu].input_pkt_queue, skb);
	raise_softirq(NET_RX_SOFTIRQ);
	return 0;
}

int netif_rx_internal(struct sk_buff *skb)
{
	trace(netif_rx, skb);
	return enqueue_to_backlog(skb, smp_processor_id());
}

/* In a task the packet is received before this returns; in a softirq, when that one is done. */
int netif_rx(struct sk_buff *skb)
{
	int ret;
	preempt_disable();
	ret = netif_rx_internal(skb);
	preempt_enable_no_resched();
	local_bh_enable();
	return ret;
}

bool netem_loses(void)
{
	return loopback_loss && (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0) % 1000 < loopback_loss;
}

int loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
	if (netem_loses()) {
		dev->tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_REASON_QDISC_DROP);
		return NET_XMIT_SUCCESS;
	}
	dev->tx_packets++;
	skb->protocol = swab16(ETH_P_IP);
	skb_pull(skb, ETH_HLEN);
	return netif_rx(skb);
}

int dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	unsigned int len = skb->len;
	int rc;
	trace(net_dev_start_xmit, skb, dev);
	journal(J_NET_XMIT, (u64)skb, len, 0, 0);
	rc = loopback_xmit(skb, dev);
	trace(net_dev_xmit, skb, rc, dev, len);
	return rc;
}

int __dev_queue_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	memset(skb_push(skb, ETH_HLEN), 0, ETH_HLEN);
	skb->mac_header = (u16)(skb->data - skb->head);
	journal(J_NET_QUEUE, (u64)skb, skb->len, 0, 0);
	trace(net_dev_queue, skb);
	return dev_hard_start_xmit(skb, dev);
}

int ip_queue_xmit(struct sk_buff *skb, __be32 saddr, __be32 daddr)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->ttl = 64;
	iph->protocol = IPPROTO_TCP;
	iph->tot_len = swab16((u16)skb->len);
	iph->saddr = saddr;
	iph->daddr = daddr;
	skb->network_header = (u16)(skb->data - skb->head);
	skb->protocol = swab16(ETH_P_IP);
	skb->dev = &loopback_dev;
	if ((daddr & 0xff) != 127) {
		kfree_skb_reason(skb, SKB_DROP_REASON_OTHERHOST);
		return -ENETUNREACH;
	}
	return __dev_queue_xmit(skb);
}

int ip_local_deliver(struct sk_buff *skb)
{
	skb_pull(skb, sizeof(struct iphdr));
	skb->transport_header = (u16)(skb->data - skb->head);
	return tcp_v4_rcv(skb);
}

int ip_rcv(struct sk_buff *skb)
{
	if (skb->len < sizeof(struct iphdr) + sizeof(struct tcphdr)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return 1;
	}
	return ip_local_deliver(skb);
}

int __netif_receive_skb(struct sk_buff *skb)
{
	skb->skb_iif = skb->dev->ifindex;
	skb->dev->rx_packets++;
	journal(J_NET_RECEIVE, (u64)skb, skb->len, 0, 0);
	trace(netif_receive_skb, skb);
	return ip_rcv(skb);
}

int process_backlog(struct softnet_data *sd, int quota)
{
	struct sk_buff *skb;
	int work = 0;
	while (work < quota && (skb = skb_dequeue(&sd->input_pkt_queue))) {
		__netif_receive_skb(skb);
		work++;
	}
	return work;
}

void net_rx_action(void)
{
	struct softnet_data *sd = &softnet_data[smp_processor_id()];
	int work = process_backlog(sd, sd->backlog.weight);
	journal(J_NAPI_POLL, (u64)&sd->backlog, (u64)work, 0, 0);
	trace(napi_poll, &sd->backlog, work, sd->backlog.weight);
	if (work == sd->backlog.weight)
		raise_softirq(NET_RX_SOFTIRQ);
}
