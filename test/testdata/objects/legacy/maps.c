/* Maps in SEC("maps"), as tools defined them before libbpf 1.0. */
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))

struct bpf_map_def {
	u32 type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") counts = {
	.type = 1, .key_size = sizeof(u32), .value_size = sizeof(u64), .max_entries = 16, .map_flags = 1,
};

struct bpf_map_def SEC("maps") total = {
	.type = 2, .key_size = sizeof(u32), .value_size = sizeof(u64), .max_entries = 1,
};

/* What BPF_ANNOTATE_KV_PAIR() wrote. */
struct ____btf_map_counts {
	u32 key;
	u64 value;
};
struct ____btf_map_counts __attribute__((section(".maps.counts"), used)) ____btf_map_counts = {};

static void *(*map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;

SEC("kprobe/vfs_read")
int count(void *ctx)
{
	u32 key = 0;
	u64 one = 1, *value = map_lookup_elem(&total, &key);

	if (value)
		*value += 2;
	map_update_elem(&counts, &key, &one, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
u32 _version SEC("version") = 0x40a00;
