/* A bloom filter of as many hashes as its definition says: how many values it takes for pushed ones depends on them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 40);
	__uint(map_flags, BPF_F_ZERO_SEED);
	__uint(map_extra, 1);
	__type(value, __u32);
} filter SEC(".maps");

__u64 found;

SEC("xdp")
int counts(void *ctx)
{
	__u32 value;
	int i;

	for (i = 0; i < 40; i++) {
		value = i * 7;
		bpf_map_push_elem(&filter, &value, BPF_ANY);
	}
	for (i = 0; i < 500; i++) {
		value = i;
		if (!bpf_map_peek_elem(&filter, &value))
			found++;
	}
	return 0;
}
