/* No relocation but the plainest; loops, switches and wide constants, which linking must leave alone. */
#include "bpf.h"

struct packet { u32 data, data_end; };

INLINE u32 mix(u32 a, u32 b)
{
	a ^= b >> 3;
	return (a << 5) | (a >> 27);
}

SEC("xdp")
int hash_words(struct packet *packet)
{
	u32 state = 0x9e3779b9;
	u64 wide = 0x0123456789abcdefULL ^ get_prandom_u32();

	for (int i = 0; i < 8; i++)
		state = mix(state, (u32)(wide >> i));
	switch (state & 7) {
	case 0: return 0;
	case 1: return (int)(wide / 7);
	case 2: return (int)(wide % 11);
	case 3: return (s32)wide >> 3;
	case 4: return (int)((s64)wide >> 40);
	default: return 2;
	}
}

SEC("socket")
int swaps(struct packet *packet)
{
	u64 value = ktime_get_ns();

	value = __builtin_bswap64(value) + __builtin_bswap32((u32)value) + __builtin_bswap16((u16)value);
	__sync_fetch_and_add(&packet->data, 1);
	return (int)value + (s8)value + (s16)value;
}

char LICENSE[] SEC("license") = "GPL";
