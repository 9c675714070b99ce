/* Maps in maps, with initial values: arrays by index, hashes by key, and one found through a type of its own. */
#include "bpf.h"

struct counters {
	NUMBER(type, ARRAY);
	NUMBER(max_entries, 2);
	TYPE(key, u32);
	TYPE(value, u64);
};

struct counters first SEC(".maps");
struct counters second SEC(".maps");

struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 4);
	TYPE(key, u32);
	TYPE(value, u64);
} by_number SEC(".maps");

struct {
	NUMBER(type, ARRAY_OF_MAPS);
	NUMBER(max_entries, 4);
	TYPE(key, u32);
	struct counters *values[];
} array_of SEC(".maps") = { .values = { [0] = &first, [2] = &second } };

struct {
	NUMBER(type, HASH_OF_MAPS);
	NUMBER(max_entries, 8);
	NUMBER(key_size, sizeof(u32));
	struct {
		NUMBER(type, HASH);
		NUMBER(max_entries, 4);
		TYPE(key, u32);
		TYPE(value, u64);
	} *values[];
} hash_of SEC(".maps") = { .values = { [5] = (void *)&by_number } };

u32 slot = 2, key;
u64 sink;

SEC("perf_event")
int counts(void *ctx)
{
	void *inner = map_lookup_elem(&array_of, &slot);
	u64 *value;

	if (!inner)
		return 1;
	value = map_lookup_elem(inner, &key);
	if (!value)
		return 2;
	sink = ++*value;
	return 0;
}

SEC("perf_event")
int stores(void *ctx)
{
	void *inner = map_lookup_elem(&hash_of, &slot);
	u64 *value, one = 1;

	if (!inner)
		return 1;
	map_update_elem(inner, &key, &one, 1);
	value = map_lookup_elem(inner, &key);
	if (!value)
		return 2;
	*value += 41;
	sink = *value;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
