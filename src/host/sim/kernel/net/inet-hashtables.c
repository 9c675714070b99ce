/* Where TCP finds its sockets: connections by both ends, listeners, and ports with those who are bound to them. */
#include "net.h"

#define EHASH_SIZE 64
#define PORT_FIRST 32768
#define PORT_COUNT 28232

static struct inet_hashinfo {
	spinlock_t lock;
	struct list_head ehash[EHASH_SIZE];
	struct list_head listening;
	spinlock_t bhash_lock;
	struct list_head bhash;
	u32 next_port;
	struct kmem_cache bind_bucket_cachep;
} tcp_hashinfo;

/* The addresses and ports of a packet, turned to those of the socket that it is for. */
struct inet_tuple {
	bool v6;
	__be32 own, other;
	struct in6_addr own6, other6;
	u16 num;
	__be16 dport;
};

void inet_hashinfo_init(void)
{
	unsigned int i;
	for (i = 0; i < EHASH_SIZE; i++)
		INIT_LIST_HEAD(&tcp_hashinfo.ehash[i]);
	INIT_LIST_HEAD(&tcp_hashinfo.listening);
	INIT_LIST_HEAD(&tcp_hashinfo.bhash);
	kmem_cache_create(&tcp_hashinfo.bind_bucket_cachep, "tcp_bind_bucket", sizeof(struct inet_bind_bucket));
}

struct list_head *inet_ehash_bucket(u16 num, __be16 dport)
{
	return &tcp_hashinfo.ehash[(num ^ swab16(dport)) % EHASH_SIZE];
}

/* The list takes a reference. */
void inet_ehash_insert(struct sock_common *common)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	atomic_inc(&common->skc_refcnt);
	list_add(&common->skc_node, inet_ehash_bucket(common->skc_num, common->skc_dport));
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
}

/* True if it was there; its reference is given back. */
bool inet_ehash_remove(struct sock_common *common)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	bool hashed = !list_empty(&common->skc_node);
	if (hashed)
		list_del_init(&common->skc_node);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	if (hashed)
		sock_gen_put(common);
	return hashed;
}

/* `common` is found where `old` was, with no moment between; false if `old` was found no more. */
bool inet_ehash_replace(struct sock_common *old, struct sock_common *common)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	bool hashed = !list_empty(&old->skc_node);
	if (hashed)
		list_del_init(&old->skc_node);
	if (hashed) {
		atomic_inc(&common->skc_refcnt);
		list_add(&common->skc_node, inet_ehash_bucket(common->skc_num, common->skc_dport));
	}
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	if (hashed)
		sock_gen_put(old);
	return hashed;
}

void inet_hash(struct sock *sk)
{
	u64 flags;
	if (sk->__sk_common.skc_state != TCP_LISTEN) {
		inet_ehash_insert(&sk->__sk_common);
		return;
	}
	flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	sock_hold(sk);
	list_add(&sk->__sk_common.skc_node, &tcp_hashinfo.listening);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
}

void inet_unhash(struct sock *sk) { inet_ehash_remove(&sk->__sk_common); }

void sock_gen_put(struct sock_common *common)
{
	if (!atomic_dec_and_test(&common->skc_refcnt))
		return;
	if (common->skc_state == TCP_TIME_WAIT) {
		inet_twsk_free(inet_twsk(common));
	} else if (common->skc_state == TCP_NEW_SYN_RECV) {
		reqsk_free(inet_reqsk(common));
	} else {
		sk_free(full_sk(common));
	}
}

void inet_tuple_of(const struct sk_buff *skb, struct inet_tuple *tuple)
{
	tuple->v6 = skb->protocol == swab16(ETH_P_IPV6);
	tuple->num = swab16(tcp_hdr(skb)->dest);
	tuple->dport = tcp_hdr(skb)->source;
	if (tuple->v6) {
		tuple->own6 = ipv6_hdr(skb)->daddr;
		tuple->other6 = ipv6_hdr(skb)->saddr;
		return;
	}
	tuple->own = ip_hdr(skb)->daddr;
	tuple->other = ip_hdr(skb)->saddr;
	ipv6_addr_set_v4mapped(tuple->own, &tuple->own6);
}

bool inet_match(const struct sock_common *c, const struct inet_tuple *tuple)
{
	if (c->skc_num != tuple->num || c->skc_dport != tuple->dport)
		return false;
	if (tuple->v6)
		return c->skc_family == AF_INET6 && ipv6_addr_equal(&c->skc_v6_daddr, &tuple->other6) &&
		       ipv6_addr_equal(&c->skc_v6_rcv_saddr, &tuple->own6);
	return c->skc_daddr == tuple->other && c->skc_rcv_saddr == tuple->own &&
	       (c->skc_family == AF_INET || ipv6_addr_v4mapped(&c->skc_v6_daddr));
}

/* How well a listener fits: 0 not at all; an address and its own family count. */
int compute_score(const struct sock_common *c, const struct inet_tuple *tuple)
{
	int score = 1;
	if (c->skc_num != tuple->num)
		return 0;
	if (c->skc_family == AF_INET) {
		if (tuple->v6 || (c->skc_rcv_saddr && c->skc_rcv_saddr != tuple->own))
			return 0;
		return c->skc_rcv_saddr ? score + 3 : score + 1;
	}
	if (!tuple->v6 && c->skc_ipv6only)
		return 0;
	if (ipv6_addr_any(&c->skc_v6_rcv_saddr))
		return score;
	return ipv6_addr_equal(&c->skc_v6_rcv_saddr, &tuple->own6) ? score + 2 : 0;
}

struct sock_common *__inet_lookup_listener(const struct inet_tuple *tuple)
{
	struct sock_common *best = NULL;
	struct list_head *pos;
	int best_score = 0;
	list_for_each(pos, &tcp_hashinfo.listening) {
		struct sock_common *c = list_entry(pos, struct sock_common, skc_node);
		int score = compute_score(c, tuple);
		if (score > best_score) {
			best = c;
			best_score = score;
		}
	}
	return best;
}

struct sock_common *__inet_lookup_established(const struct inet_tuple *tuple)
{
	struct list_head *bucket = inet_ehash_bucket(tuple->num, tuple->dport), *pos;
	list_for_each(pos, bucket) {
		struct sock_common *c = list_entry(pos, struct sock_common, skc_node);
		if (inet_match(c, tuple))
			return c;
	}
	return NULL;
}

/* Whom a packet is for: the connection, else who listens; with a reference. */
struct sock_common *inet_lookup(const struct sk_buff *skb)
{
	struct inet_tuple tuple;
	struct sock_common *found;
	u64 flags;
	inet_tuple_of(skb, &tuple);
	flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	found = __inet_lookup_established(&tuple);
	if (!found)
		found = __inet_lookup_listener(&tuple);
	if (found)
		atomic_inc(&found->skc_refcnt);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	return found;
}

/* Who listens where the packet goes, with a reference, or NULL. */
struct sock *inet_lookup_listener(const struct sk_buff *skb)
{
	struct inet_tuple tuple;
	struct sock_common *found;
	u64 flags;
	inet_tuple_of(skb, &tuple);
	flags = _raw_spin_lock_irqsave(&tcp_hashinfo.lock);
	found = __inet_lookup_listener(&tuple);
	if (found)
		atomic_inc(&found->skc_refcnt);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.lock, flags);
	return found ? full_sk(found) : NULL;
}

/* Whether a packet could be for both: `any` addresses overlap with all, and those of IPv6 with IPv4 unless they are for it only. */
bool inet_rcv_saddr_equal(const struct sock_common *a, const struct sock_common *b)
{
	bool a6 = a->skc_family == AF_INET6, b6 = b->skc_family == AF_INET6;
	if (a6 && b6)
		return ipv6_addr_any(&a->skc_v6_rcv_saddr) || ipv6_addr_any(&b->skc_v6_rcv_saddr) ||
		       ipv6_addr_equal(&a->skc_v6_rcv_saddr, &b->skc_v6_rcv_saddr);
	if ((a6 && a->skc_ipv6only) || (b6 && b->skc_ipv6only))
		return false;
	return !a->skc_rcv_saddr || !b->skc_rcv_saddr || a->skc_rcv_saddr == b->skc_rcv_saddr;
}

bool inet_csk_bind_conflict(const struct sock *sk, const struct inet_bind_bucket *tb)
{
	const struct sock_common *c = &sk->__sk_common;
	struct list_head *pos;
	list_for_each(pos, &tb->owners) {
		const struct sock_common *other = list_entry(pos, struct sock_common, skc_bind_node);
		if (other == c)
			continue;
		if (c->skc_reuse && other->skc_reuse && other->skc_state != TCP_LISTEN)
			continue;
		if (c->skc_reuseport && other->skc_reuseport)
			continue;
		if (inet_rcv_saddr_equal(c, other))
			return true;
	}
	return false;
}

struct inet_bind_bucket *inet_bind_bucket_find(u16 port)
{
	struct list_head *pos;
	list_for_each(pos, &tcp_hashinfo.bhash) {
		struct inet_bind_bucket *tb = list_entry(pos, struct inet_bind_bucket, node);
		if (tb->port == port)
			return tb;
	}
	return NULL;
}

struct inet_bind_bucket *inet_bind_bucket_create(u16 port)
{
	struct inet_bind_bucket *tb = kmem_cache_alloc(&tcp_hashinfo.bind_bucket_cachep, GFP_ATOMIC);
	if (!tb)
		return NULL;
	tb->port = port;
	INIT_LIST_HEAD(&tb->owners);
	list_add(&tb->node, &tcp_hashinfo.bhash);
	return tb;
}

/* The bhash is locked. */
void inet_bind_hash(struct sock *sk, struct inet_bind_bucket *tb)
{
	sk->__sk_common.skc_num = tb->port;
	list_add(&sk->__sk_common.skc_bind_node, &tb->owners);
	inet_csk(sk)->icsk_bind_hash = tb;
}

/* A port that nobody has, or 0. */
u16 inet_csk_find_open_port(void)
{
	u32 tries;
	for (tries = 0; tries < PORT_COUNT; tries++) {
		u16 port = (u16)(PORT_FIRST + tcp_hashinfo.next_port++ % PORT_COUNT);
		if (!inet_bind_bucket_find(port))
			return port;
	}
	return 0;
}

int inet_csk_get_port(struct sock *sk, unsigned short snum)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.bhash_lock);
	u16 port = snum ? snum : inet_csk_find_open_port();
	struct inet_bind_bucket *tb = port ? inet_bind_bucket_find(port) : NULL;
	int error = 0;
	if (!port || (tb && inet_csk_bind_conflict(sk, tb)))
		error = -EADDRINUSE;
	else if (!tb && !(tb = inet_bind_bucket_create(port)))
		error = -ENOMEM;
	else if (!inet_csk(sk)->icsk_bind_hash)
		inet_bind_hash(sk, tb);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.bhash_lock, flags);
	return error;
}

/* One of the port's owners has gone; with the last one the bucket goes. */
void inet_bind_bucket_put(struct inet_bind_bucket *tb, struct sock_common *owner)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.bhash_lock);
	bool last;
	list_del_init(&owner->skc_bind_node);
	last = list_empty(&tb->owners);
	if (last)
		list_del_init(&tb->node);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.bhash_lock, flags);
	if (last)
		kmem_cache_free(&tcp_hashinfo.bind_bucket_cachep, tb);
}

void inet_bind_bucket_add(struct inet_bind_bucket *tb, struct sock_common *owner)
{
	u64 flags = _raw_spin_lock_irqsave(&tcp_hashinfo.bhash_lock);
	list_add(&owner->skc_bind_node, &tb->owners);
	_raw_spin_unlock_irqrestore(&tcp_hashinfo.bhash_lock, flags);
}

void inet_put_port(struct sock *sk)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->icsk_bind_hash;
	if (!tb)
		return;
	inet_csk(sk)->icsk_bind_hash = NULL;
	sk->__sk_common.skc_num = 0;
	inet_bind_bucket_put(tb, &sk->__sk_common);
}

/* A connection has the port of who listened. */
void __inet_inherit_port(const struct sock *sk, struct sock *child)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->icsk_bind_hash;
	inet_csk(child)->icsk_bind_hash = tb;
	inet_bind_bucket_add(tb, &child->__sk_common);
}
