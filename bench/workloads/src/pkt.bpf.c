/* parse eth / ipv4 / tcp of one 64-byte frame; verdict mixes the 5-tuple */
#include "workload.h"
struct eth { u8 d[6], s[6]; u16 proto; } __attribute__((packed));
struct ip4 { u8 vhl, tos; u16 tot, id, frag; u8 ttl, proto; u16 csum; u32 sa, da; } __attribute__((packed, aligned(2)));
struct tcp { u16 sp, dp; u32 seq, ack; u8 off, fl; u16 win; } __attribute__((packed, aligned(2)));
#define BE16(x) ((u16)__builtin_bswap16(x))
INL u64 pkt_body(u8 *p, u8 *end) {
  struct eth *e = (void *)p;
  if ((u8 *)(e + 1) > end) return 1;
  if (e->proto != BE16(0x0800)) return 2;
  struct ip4 *ip = (void *)(e + 1);
  if ((u8 *)(ip + 1) > end) return 3;
  u32 ihl = (ip->vhl & 15) * 4;
  if ((ip->vhl >> 4) != 4 || ihl < 20) return 4;
  if (BE16(ip->frag) & 0x1fff) return 5;
  if (ip->proto != 6) return 6;
  struct tcp *t = (void *)((u8 *)ip + ihl);
  if ((u8 *)(t + 1) > end) return 7;
  u32 h = __builtin_bswap32(ip->sa) ^ (__builtin_bswap32(ip->da) * 31);
  h ^= ((u32)BE16(t->sp) << 16) | BE16(t->dp);
  if (t->fl & 2) h += 0x10000;
  if (BE16(t->dp) == 443 || BE16(t->dp) == 80) h ^= 0x5a5a5a5a;
  return h;
}
ENTRY(pkt)
