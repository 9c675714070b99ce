/* Packets in memory: room for headers in front, data behind, queues of them. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

/* Of a link, of IPv6, of TCP. */
#define HEADROOM 96u

static struct kmem_cache skbuff_head_cache;

void skb_init(void) { kmem_cache_create(&skbuff_head_cache, "skbuff_head_cache", sizeof(struct sk_buff)); }

void skb_queue_head_init(struct sk_buff_head *queue)
{
	INIT_LIST_HEAD(&queue->list);
	queue->qlen = 0;
	queue->lock.locked = 0;
}

/* Room for `size` bytes of data, and for the headers that will be pushed. */
struct sk_buff *alloc_skb(unsigned int size, gfp_t gfp)
{
	struct sk_buff *skb = kmem_cache_alloc(&skbuff_head_cache, gfp);
	if (!skb)
		return NULL;
	memset(skb, 0, sizeof(*skb));
	INIT_LIST_HEAD(&skb->list);
	skb->head = kmalloc(HEADROOM + size, gfp);
	if (!skb->head) {
		kmem_cache_free(&skbuff_head_cache, skb);
		return NULL;
	}
	skb->data = skb->head;
	skb->end = HEADROOM + size;
	skb->truesize = (unsigned int)sizeof(*skb) + skb->end;
	skb_reserve(skb, HEADROOM);
	return skb;
}

void skb_reserve(struct sk_buff *skb, unsigned int len)
{
	skb->data += len;
	skb->tail += len;
}

void *skb_put(struct sk_buff *skb, unsigned int len)
{
	void *at = skb->head + skb->tail;
	if (skb->tail + len > skb->end)
		panic("a packet is too long for its buffer");
	skb->tail += len;
	skb->len += len;
	return at;
}

void *skb_push(struct sk_buff *skb, unsigned int len)
{
	if (skb->data - skb->head < (long)len)
		panic("no room for a packet's header");
	skb->data -= len;
	skb->len += len;
	return skb->data;
}

void *skb_pull(struct sk_buff *skb, unsigned int len)
{
	if (len > skb->len)
		return NULL;
	skb->len -= len;
	return skb->data += len;
}

/* Cuts the packet off behind so many bytes. */
void skb_trim(struct sk_buff *skb, unsigned int len)
{
	if (len >= skb->len)
		return;
	skb->tail -= skb->len - len;
	skb->len = len;
}

struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp)
{
	struct sk_buff *copy = alloc_skb(skb->len, gfp);
	if (!copy)
		return NULL;
	memcpy(copy->cb, skb->cb, sizeof(copy->cb));
	copy->sk = skb->sk;
	memcpy(skb_put(copy, skb->len), skb->data, skb->len);
	return copy;
}

void __kfree_skb(struct sk_buff *skb)
{
	if (skb->rmem_charged)
		sock_rfree(skb);
	kfree(skb->head);
	kmem_cache_free(&skbuff_head_cache, skb);
}

/* A packet that did not get to where it was sent. */
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
	journal(J_SKB_FREE, (u64)skb, reason, skb->len, 0);
	trace(kfree_skb, skb, __builtin_return_address(0), reason);
	__kfree_skb(skb);
}

/* A packet that did all it was for. */
void consume_skb(struct sk_buff *skb)
{
	journal(J_SKB_FREE, (u64)skb, SKB_NOT_DROPPED_YET, skb->len, 0);
	trace(consume_skb, skb);
	__kfree_skb(skb);
}

void skb_queue_tail(struct sk_buff_head *queue, struct sk_buff *skb)
{
	u64 flags = _raw_spin_lock_irqsave(&queue->lock);
	list_add_tail(&skb->list, &queue->list);
	queue->qlen++;
	_raw_spin_unlock_irqrestore(&queue->lock, flags);
}

void skb_unlink(struct sk_buff *skb, struct sk_buff_head *queue)
{
	u64 flags = _raw_spin_lock_irqsave(&queue->lock);
	list_del_init(&skb->list);
	queue->qlen--;
	_raw_spin_unlock_irqrestore(&queue->lock, flags);
}

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

void skb_queue_purge(struct sk_buff_head *queue)
{
	struct sk_buff *skb;
	while ((skb = skb_dequeue(queue)))
		__kfree_skb(skb);
}
