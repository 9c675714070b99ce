/*
 * Programs that use dynamic pointers, which the live kernel runs, too; what they found out stands in `results`.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[8]);
} values SEC(".maps");

__s64 results[64];
__u64 count;

static __always_inline void note(__s64 result)
{
	if (count < 64)
		results[count++] = result;
}

static __always_inline void note_reads(struct bpf_dynptr *ptr)
{
	__u64 word = 0;

	note(bpf_dynptr_read(&word, sizeof(word), ptr, 0, 0));
	note(word);
	note(bpf_dynptr_read(&word, sizeof(word), ptr, 13, 0));
	note(word);
	note(bpf_dynptr_read(&word, 3, ptr, 21, 0));
	note(word);
	note(bpf_dynptr_read(&word, sizeof(word), ptr, 17, 0));
	note(bpf_dynptr_read(&word, sizeof(word), ptr, (__u32)-4, 0));
	note(bpf_dynptr_read(&word, 0, ptr, 24, 0));
	note(bpf_dynptr_read(&word, 0, ptr, 25, 0));
	note(bpf_dynptr_read(&word, sizeof(word), ptr, 0, 1));
	note(bpf_dynptr_read(&word, sizeof(word), ptr, 0, 1ULL << 40));
}

static __always_inline void note_writes(struct bpf_dynptr *ptr)
{
	__u64 word = 0x1122334455667788;
	__u64 *part;

	note(bpf_dynptr_write(ptr, 0, &word, sizeof(word), 0));
	note(bpf_dynptr_write(ptr, 11, &word, 5, 0));
	note(bpf_dynptr_write(ptr, 17, &word, sizeof(word), 0));
	note(bpf_dynptr_write(ptr, 0, &word, sizeof(word), 1));
	note(bpf_dynptr_write(ptr, 24, &word, 0, 0));
	part = bpf_dynptr_data(ptr, 16, 8);
	if (part) {
		note(*part);
		*part = 0xfedcba9876543210;
	}
	note(!bpf_dynptr_data(ptr, 17, 8));
	note(!bpf_dynptr_data(ptr, 0, 24));
	note(!bpf_dynptr_data(ptr, 0, 25));
}

SEC("xdp")
int of_map(void *ctx)
{
	struct bpf_dynptr ptr;
	__u32 key = 0;
	void *value = bpf_map_lookup_elem(&values, &key);

	if (!value)
		return 1;
	note(bpf_dynptr_from_mem(value + 8, 24, 0, &ptr));
	note_writes(&ptr);
	note_reads(&ptr);
	note(*(__u64 *)(value + 24));
	note(bpf_dynptr_from_mem(value, 24, 1, &ptr));
	note_reads(&ptr);
	note(bpf_dynptr_from_mem(value, 0, 0, &ptr));
	note(bpf_dynptr_write(&ptr, 0, &key, sizeof(key), 0));
	return 0;
}

SEC("xdp")
int of_ring(void *ctx)
{
	struct bpf_dynptr ptr;

	note(bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &ptr));
	note_writes(&ptr);
	note_reads(&ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	note(bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA));
	note(bpf_ringbuf_reserve_dynptr(&ring, 100, 0, &ptr));
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	note(bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	return 0;
}

SEC("xdp")
int refused(void *ctx)
{
	struct bpf_dynptr ptr;

	note(bpf_ringbuf_reserve_dynptr(&ring, 24, 1, &ptr));
	note_writes(&ptr);
	note_reads(&ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	note(bpf_ringbuf_reserve_dynptr(&ring, 1 << 24, 0, &ptr));
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	note(bpf_ringbuf_reserve_dynptr(&ring, 4096, 0, &ptr));
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	note(bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	return 0;
}

static __noinline int fill(struct bpf_dynptr *ptr, __u32 from)
{
	return bpf_dynptr_write(ptr, from, "abcdefg", 8, 0);
}

SEC("xdp")
int in_functions(void *ctx)
{
	struct bpf_dynptr ptr;
	__u64 *part;
	int i;

	note(bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &ptr));
	for (i = 0; i < 7; i++)
		note(fill(&ptr, i * 10));
	part = bpf_dynptr_data(&ptr, 48, 16);
	if (part) {
		note(part[0]);
		note(part[1]);
	}
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

/* What a verifier refuses, and a run stops at. */
SEC("xdp")
int never_made(void *ctx)
{
	struct bpf_dynptr ptr, open;
	__u64 word;

	bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &open);
	__builtin_memset(&ptr, 0x5a, sizeof(ptr));
	return bpf_dynptr_read(&word, sizeof(word), &ptr, 0, 0);
}

SEC("xdp")
int of_stack(void *ctx)
{
	struct bpf_dynptr ptr;
	__u64 words[2] = {};

	return bpf_dynptr_from_mem(words, sizeof(words), 0, &ptr);
}

SEC("xdp")
int submitted_twice(void *ctx)
{
	struct bpf_dynptr ptr, copy;

	bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &ptr);
	__builtin_memcpy(&copy, &ptr, sizeof(ptr));
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	bpf_ringbuf_submit_dynptr(&copy, 0);
	return 0;
}

SEC("xdp")
int submits_memory(void *ctx)
{
	struct bpf_dynptr ptr;
	__u32 key = 0;
	void *value = bpf_map_lookup_elem(&values, &key);

	if (!value)
		return 1;
	bpf_dynptr_from_mem(value, 8, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("xdp")
int used_when_gone(void *ctx)
{
	struct bpf_dynptr ptr;
	__u64 *part;

	bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &ptr);
	part = bpf_dynptr_data(&ptr, 0, 8);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	if (part)
		*part = 1;
	return 0;
}
