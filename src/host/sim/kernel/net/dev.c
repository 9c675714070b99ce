/* Packets: made, sent through the loopback device, received in the softirq. */
#include "net.h"
#include "uapi.h"

static struct kmem_cache skbuff_head_cache;
static struct sk_buff_head backlog[NR_CPUS];

void skb_init(void)
{
	unsigned int cpu;
	kmem_cache_create(&skbuff_head_cache, "skbuff_head_cache", sizeof(struct sk_buff));
	for (cpu = 0; cpu < NR_CPUS; cpu++)
		INIT_LIST_HEAD(&backlog[cpu].list);
}

struct sk_buff *alloc_skb(unsigned int size, gfp_t gfp)
{
	struct sk_buff *skb = kmem_cache_alloc(&skbuff_head_cache, gfp);
	if (!skb)
		return NULL;
	memset(skb, 0, sizeof(*skb));
	INIT_LIST_HEAD(&skb->list);
	if (!size)
		return skb;
	skb->data = kmalloc(size, gfp);
	if (skb->data)
		return skb;
	kmem_cache_free(&skbuff_head_cache, skb);
	return NULL;
}

void kfree_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	kfree(skb->data);
	kmem_cache_free(&skbuff_head_cache, skb);
}

int enqueue_to_backlog(struct sk_buff *skb, int cpu)
{
	struct sk_buff_head *queue = &backlog[cpu];
	u64 flags = _raw_spin_lock_irqsave(&queue->lock);
	list_add_tail(&skb->list, &queue->list);
	queue->qlen++;
	_raw_spin_unlock_irqrestore(&queue->lock, flags);
	raise_softirq(NET_RX_SOFTIRQ);
	return 0;
}

/* In a task the packet is received before this returns; in a softirq, when that one is done. */
int netif_rx(struct sk_buff *skb)
{
	int ret;
	preempt_disable();
	ret = enqueue_to_backlog(skb, smp_processor_id());
	preempt_enable_no_resched();
	local_bh_enable();
	return ret;
}

int loopback_xmit(struct sk_buff *skb)
{
	if (skb->len > 0x10000) {
		kfree_skb(skb);
		return -EINVAL;
	}
	return netif_rx(skb);
}

int __dev_queue_xmit(struct sk_buff *skb) { return loopback_xmit(skb); }

void ip_queue_xmit(struct sk_buff *skb)
{
	if ((skb->daddr & 0xff) != 127) {
		kfree_skb(skb);
		return;
	}
	__dev_queue_xmit(skb);
}

void ip_rcv(struct sk_buff *skb)
{
	if (skb->len < skb->data_len) {
		kfree_skb(skb);
		return;
	}
	tcp_v4_rcv(skb);
}

void __netif_receive_skb(struct sk_buff *skb) { ip_rcv(skb); }

struct sk_buff *skb_dequeue(struct sk_buff_head *queue)
{
	struct sk_buff *skb = NULL;
	u64 flags = _raw_spin_lock_irqsave(&queue->lock);
	if (!list_empty(&queue->list)) {
		skb = list_first_entry(&queue->list, struct sk_buff, list);
		list_del_init(&skb->list);
		queue->qlen--;
	}
	_raw_spin_unlock_irqrestore(&queue->lock, flags);
	return skb;
}

void process_backlog(struct sk_buff_head *queue)
{
	struct sk_buff *skb;
	while ((skb = skb_dequeue(queue)))
		__netif_receive_skb(skb);
}

void net_rx_action(void) { process_backlog(&backlog[smp_processor_id()]); }
