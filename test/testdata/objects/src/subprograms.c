/* Functions beside the programs: static and global, called from several programs, from each other, and as callbacks. */
#include "bpf.h"
#include "kernel.h"

u64 sink;
int threshold = 10;

struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, u64);
} counts SEC(".maps");

static NOINLINE u64 leaf(u64 value)
{
	sink += value;
	return value * 3 + get_prandom_u32();
}

NOINLINE int global_leaf(int value)
{
	return value + threshold;
}

static NOINLINE u64 middle(u64 value)
{
	struct task_struct *task = (void *)get_current_task();

	return leaf(value + task->tgid) + global_leaf(value);
}

WEAK NOINLINE int weak_function(int value)
{
	return value - (int)leaf(value);
}

HIDDEN NOINLINE int hidden_function(int value)
{
	return weak_function(value) + (int)middle(value);
}

/* Each calls the other: neither may be placed twice. Linux refuses recursion, so its callers load on request only. */
static NOINLINE int odd(u32 n);
static NOINLINE int even(u32 n)
{
	return n == 0 ? get_prandom_u32() : odd(n - 1);
}
static NOINLINE int odd(u32 n)
{
	return n == 0 ? 0 : even(n - 1) + 1;
}

static long each_element(void *map, const void *key, void *value, void *ctx)
{
	*(u64 *)ctx += *(u64 *)value + leaf(*(const u32 *)key);
	return 0;
}

static long each_turn(u32 index, void *ctx)
{
	*(u64 *)ctx += middle(index);
	return index > 100;
}

NOINLINE long global_callback(u32 index, void *ctx)
{
	*(u64 *)ctx += index;
	return 0;
}

SEC("kprobe/vfs_read")
int first(void *ctx)
{
	return hidden_function(3) + (int)leaf(4);
}

SEC("kprobe/vfs_write")
int second(void *ctx)
{
	return global_leaf(5) + (int)middle(6);
}

SEC("kretprobe/vfs_read")
int none(void *ctx)
{
	return 0;
}

SEC("tp/syscalls/sys_enter_openat")
int callbacks(void *ctx)
{
	u64 total = 0;

	for_each_map_elem(&counts, each_element, &total, 0);
	loop(50, each_turn, &total, 0);
	loop(60, global_callback, &total, 0);
	sink = total;
	return 0;
}

SEC("?tp/syscalls/sys_exit_openat")
int mutual(void *ctx)
{
	return even(get_prandom_u32() & 7) + odd(3);
}

/* Two programs of one section. */
SEC("?tp/syscalls/sys_exit_openat")
int mutual_again(void *ctx)
{
	return odd(get_prandom_u32() & 7);
}

SEC("?kprobe/vfs_open")
int on_request(void *ctx)
{
	return (int)leaf(1);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
u32 VERSION SEC("version") = 0x060100;
