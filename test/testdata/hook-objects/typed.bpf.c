/* A map whose values have a member of every shape, for what prints them. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

enum colour { RED, GREEN = 5, BLUE = -1 };
typedef __u32 number_t;

struct inner {
	__s8 tiny;
	__u16 small;
};

struct shapes {
	__s32 minus;
	__u32 plus;
	__s64 wide;
	__u64 unsigned_wide;
	bool yes;
	char letter;
	signed char signed_char;
	unsigned char byte;
	enum colour colour;
	enum colour unnamed;
	void *pointer;
	struct inner *typed;
	int (*function)(int);
	unsigned int low : 3;
	unsigned int middle : 7;
	int negative : 5;
	__u64 long_bits : 40;
	bool flag : 1;
	enum colour painted : 4;
	struct inner nested;
	struct inner many[2];
	__u16 matrix[2][3];
	union {
		__u32 word;
		__u8 bytes[4];
	};
	union {
		struct {
			__u16 first;
			__u16 second;
		};
		__u32 both;
	} named;
	char text[8];
	char full[4];
	char binary[4];
	const volatile number_t qualified;
	__int128 huge;
	__u32 tail[0];
};

struct key {
	__u32 id;
	char name[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, struct key);
	__type(value, struct shapes);
} shapes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct inner);
} percpu SEC(".maps");

int counter = 7;
enum colour paint = GREEN;
struct inner pair = { -3, 500 };
static volatile char word[6] = "hello";

SEC("socket")
int none(void *ctx)
{
	struct key key = {};
	__u32 zero = 0;
	bpf_map_lookup_elem(&percpu, &zero);
	return bpf_map_lookup_elem(&shapes, &key) != 0 && word[0];
}

char _license[] SEC("license") = "GPL";
