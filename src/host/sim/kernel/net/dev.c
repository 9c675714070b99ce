/* The way of a packet through the loopback device, which may lose or delay it, and back up in the softirq. */
#include "journal.h"
#include "net.h"

#define NAPI_WEIGHT 64

struct net init_net = { .passive = { 1 }, .ns = { .inum = 4026531840u } };
struct net_device loopback_dev = { .mtu = 65536, .ifindex = LOOPBACK_IFINDEX, .name = "lo" };

/* Of a thousand packets, how many the device loses, and how many it lets those behind pass. */
u32 loopback_loss;
u32 loopback_reorder;

/* Longest that a packet is held back, in ticks. */
#define NETEM_DELAY_MAX 3

static struct softnet_data {
	struct sk_buff_head input_pkt_queue;
	struct napi_struct backlog;
} softnet_data[NR_CPUS];

/* Packets that are held back, in no order: `tstamp` is the tick that lets them go. */
static struct netem_sched_data {
	struct sk_buff_head t_root;
	struct timer_list watchdog;
	spinlock_t lock;
} netem;

int loopback_deliver(struct sk_buff *skb);

void netem_start_watchdog(void)
{
	u64 flags = _raw_spin_lock_irqsave(&netem.lock);
	mod_timer(&netem.watchdog, jiffies + 1);
	_raw_spin_unlock_irqrestore(&netem.lock, flags);
}

/* Lets go of what has been held long enough; the timer goes on while something is left. */
void netem_watchdog(struct timer_list *timer)
{
	u32 left = netem.t_root.qlen;
	struct sk_buff *skb;
	(void)timer;
	while (left-- && (skb = skb_dequeue(&netem.t_root))) {
		if ((unsigned long)skb->tstamp > jiffies)
			skb_queue_tail(&netem.t_root, skb);
		else
			loopback_deliver(skb);
	}
	if (netem.t_root.qlen)
		netem_start_watchdog();
}

void net_dev_init(void)
{
	unsigned int cpu;
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		skb_queue_head_init(&softnet_data[cpu].input_pkt_queue);
		softnet_data[cpu].backlog.weight = NAPI_WEIGHT;
	}
	skb_queue_head_init(&netem.t_root);
	timer_setup(&netem.watchdog, netem_watchdog);
}

int enqueue_to_backlog(struct sk_buff *skb, int cpu)
{
	skb_queue_tail(&softnet_data[cpu].input_pkt_queue, skb);
	raise_softirq(NET_RX_SOFTIRQ);
	return NET_RX_SUCCESS;
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
	journal(J_NETIF_RX, (u64)skb, skb->len, 0, 0);
	trace(netif_rx_entry, skb);
	ret = netif_rx_internal(skb);
	trace(netif_rx_exit, ret);
	preempt_enable_no_resched();
	local_bh_enable();
	return ret;
}

/* One of the thousand that `rate` is of. No chance is taken where nothing is to happen. */
bool netem_decides(u32 rate)
{
	return rate && (u32)hypercall(HC_RANDOM, 0, 0, 0, 0, 0) % 1000 < rate;
}

int loopback_deliver(struct sk_buff *skb)
{
	skb_pull(skb, ETH_HLEN);
	return netif_rx(skb);
}

/* Holds a packet back for a few ticks, so that those behind overtake it. */
void netem_enqueue(struct sk_buff *skb)
{
	u64 delay = 1 + hypercall(HC_RANDOM, 0, 0, 0, 0, 0) % NETEM_DELAY_MAX;
	skb->tstamp = (ktime_t)(jiffies + delay);
	skb_queue_tail(&netem.t_root, skb);
	netem_start_watchdog();
}

int loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
	if (netem_decides(loopback_loss)) {
		dev->tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_REASON_QDISC_DROP);
		return NET_XMIT_SUCCESS;
	}
	dev->tx_packets++;
	if (netem_decides(loopback_reorder)) {
		netem_enqueue(skb);
		return NET_XMIT_SUCCESS;
	}
	return loopback_deliver(skb);
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

int __netif_receive_skb(struct sk_buff *skb)
{
	skb->skb_iif = skb->dev->ifindex;
	skb->dev->rx_packets++;
	journal(J_NET_RECEIVE, (u64)skb, skb->len, 0, 0);
	trace(netif_receive_skb, skb);
	if (skb->protocol == swab16(ETH_P_IP))
		return ip_rcv(skb);
	return ipv6_rcv(skb);
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
