/* SPDX-License-Identifier: MIT */
/* Log2 histograms in the shape that bcc's tools share: slot i counts values in [2^i, 2^(i+1)). */
#ifndef KSCOPE_EXAMPLES_HIST_H
#define KSCOPE_EXAMPLES_HIST_H

#define MAX_SLOTS 27

struct hist {
	__u32 slots[MAX_SLOTS];
};

static __always_inline __u32 log2_u32(__u32 v)
{
	__u32 r, shift;

	r = (v > 0xffff) << 4;
	v >>= r;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	r |= shift;
	return r | (v >> 1);
}

static __always_inline __u32 log2_u64(__u64 v)
{
	__u32 high = v >> 32;

	return high ? log2_u32(high) + 32 : log2_u32(v);
}

static __always_inline void hist_add(struct hist *hist, __u64 value)
{
	__u32 slot = log2_u64(value);

	if (slot >= MAX_SLOTS)
		slot = MAX_SLOTS - 1;
	__sync_fetch_and_add(&hist->slots[slot], 1);
}

#endif
