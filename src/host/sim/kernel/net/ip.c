/* The internet protocol, versions 4 and 6: headers on and off, and one route, to this machine. */
#include "journal.h"
#include "net.h"

/* Sends the packet off, or frees it: addresses that are not this machine's have no route. */
int ip_output(struct sk_buff *skb, bool local)
{
	if (!local) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return -ENETUNREACH;
	}
	skb->network_header = (u16)(skb->data - skb->head);
	skb->dev = &loopback_dev;
	return __dev_queue_xmit(skb);
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
	skb->protocol = swab16(ETH_P_IP);
	return ip_output(skb, ipv4_is_loopback(daddr));
}

int ip6_xmit(struct sk_buff *skb, const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	u16 payload = (u16)skb->len;
	struct ipv6hdr *hdr = skb_push(skb, sizeof(*hdr));
	memset(hdr, 0, sizeof(*hdr));
	hdr->version = 6;
	hdr->payload_len = swab16(payload);
	hdr->nexthdr = IPPROTO_TCP;
	hdr->hop_limit = 64;
	hdr->saddr = *saddr;
	hdr->daddr = *daddr;
	skb->protocol = swab16(ETH_P_IPV6);
	return ip_output(skb, ipv6_addr_loopback(daddr));
}

int ip_local_deliver(struct sk_buff *skb)
{
	skb_pull(skb, sizeof(struct iphdr));
	skb->transport_header = (u16)(skb->data - skb->head);
	return tcp_v4_rcv(skb);
}

int ip6_input(struct sk_buff *skb)
{
	skb_pull(skb, sizeof(struct ipv6hdr));
	skb->transport_header = (u16)(skb->data - skb->head);
	return tcp_v6_rcv(skb);
}

int ip_rcv(struct sk_buff *skb)
{
	if (skb->len < sizeof(struct iphdr) + sizeof(struct tcphdr)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return NET_RX_DROP;
	}
	return ip_local_deliver(skb);
}

int ipv6_rcv(struct sk_buff *skb)
{
	if (skb->len < sizeof(struct ipv6hdr) + sizeof(struct tcphdr)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return NET_RX_DROP;
	}
	return ip6_input(skb);
}
