/*
 * Programs that call kernel functions. Those of type xdp run in the live kernel, too; what they found out stands in `results`.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#define exists(sym) (!!(sym))

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
struct bpf_iter_bits {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	int pid;
	int tgid;
};
#pragma clang attribute pop

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 count) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
extern void *bpf_rdonly_cast(const void *obj, __u32 type) __ksym;
extern int bpf_strcmp(const char *a, const char *b) __ksym;
extern int bpf_strcasecmp(const char *a, const char *b) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, unsigned long count) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, unsigned long count, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strrchr(const char *s, int c) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strcspn(const char *s, const char *reject) __ksym;
extern int bpf_strstr(const char *s, const char *part) __ksym;
extern int bpf_strnstr(const char *s, const char *part, unsigned long count) __ksym;
extern bool bpf_session_is_return(void) __ksym;
extern __u64 *bpf_session_cookie(void) __ksym;
extern int bpf_copy_from_user_str(void *dst, __u32 size, const void *src, __u64 flags) __ksym;
extern int bpf_kernel_has_no_such(int) __ksym __weak;

char _license[] SEC("license") = "GPL";

__s64 results[64];
__u32 at;

static __always_inline void note(__s64 value)
{
	if (at < 64)
		results[at++] = value;
}

static __always_inline void count(int start, int end)
{
	struct bpf_iter_num it;
	__s64 sum = 0, rounds = 0;
	int *i;

	note(bpf_iter_num_new(&it, start, end));
	while ((i = bpf_iter_num_next(&it))) {
		sum += *i;
		rounds++;
	}
	bpf_iter_num_destroy(&it);
	note(sum);
	note(rounds);
}

SEC("?xdp")
int numbers(void *ctx)
{
	count(0, 10);
	count(-5, 5);
	count(3, 3);
	count(4, 3);
	count(0, (1 << 23) + 1);
	count(-2147483647 - 1, -2147483647 + 9);
	count(2147483600, 2147483647);
	count(-2147483647 - 1, 2147483647);
	return 2;
}

const volatile __u64 words[4] = { 0x8000000000000001ull, 0, 0x10, 0xff00 };

static __always_inline void bits_of(const void *from, __u32 length)
{
	struct bpf_iter_bits it;
	__s64 sum = 0, rounds = 0;
	int *bit;

	note(bpf_iter_bits_new(&it, from, length));
	while ((bit = bpf_iter_bits_next(&it))) {
		sum = sum * 3 + *bit;
		rounds++;
	}
	bpf_iter_bits_destroy(&it);
	note(sum);
	note(rounds);
}

SEC("?xdp")
int set_bits(void *ctx)
{
	bits_of((const void *)words, 1);
	bits_of((const void *)words, 4);
	bits_of((const void *)words, 0);
	bits_of((const void *)words, 512);
	return 2;
}

const char hello[] = "Hello, World";
const char lower[] = "hello, world";
const char part[] = "World";
const char letters[] = "leHo";
const char empty[] = "";
const char high[] = "\xc4\xff";

SEC("?xdp")
int strings(void *ctx)
{
	note(bpf_strcmp(hello, hello));
	note(bpf_strcmp(hello, lower));
	note(bpf_strcmp(lower, hello));
	note(bpf_strcmp(part, hello));
	note(bpf_strcmp(hello, high));
	note(bpf_strcmp(empty, hello));
	note(bpf_strcasecmp(hello, lower));
	note(bpf_strcasecmp(hello, part));
	note(bpf_strlen(hello));
	note(bpf_strlen(empty));
	note(bpf_strnlen(hello, 5));
	note(bpf_strnlen(hello, 50));
	note(bpf_strnlen(hello, 0));
	note(bpf_strchr(hello, 'o'));
	note(bpf_strchr(hello, 'z'));
	note(bpf_strchr(hello, 0));
	note(bpf_strchr(high, (char)0xff));
	note(bpf_strnchr(hello, 4, 'o'));
	note(bpf_strnchr(hello, 5, 'o'));
	note(bpf_strnchr(hello, -1ul, 'z'));
	note(bpf_strchrnul(hello, 'W'));
	note(bpf_strchrnul(hello, 'z'));
	note(bpf_strrchr(hello, 'o'));
	note(bpf_strrchr(hello, 'z'));
	note(bpf_strrchr(hello, 0));
	note(bpf_strspn(hello, letters));
	note(bpf_strspn(hello, empty));
	note(bpf_strspn(hello, hello));
	note(bpf_strcspn(hello, part));
	note(bpf_strcspn(hello, empty));
	note(bpf_strcspn(empty, hello));
	note(bpf_strstr(hello, part));
	note(bpf_strstr(hello, empty));
	note(bpf_strstr(part, hello));
	note(bpf_strstr(hello, lower));
	note(bpf_strnstr(hello, part, 11));
	note(bpf_strnstr(hello, part, 12));
	note(bpf_strnstr(hello, part, 100));
	note(bpf_strnstr(hello, empty, 0));
	note(bpf_strnstr(empty, part, 5));
	note(bpf_strlen((const char *)8));
	note(bpf_strcmp(hello, (const char *)0x7fff00000000));
	note(bpf_strlen((const char *)0xffff800000000123));
	return 2;
}

SEC("?xdp")
int sections(void *ctx)
{
	bpf_rcu_read_lock();
	note(1);
	bpf_rcu_read_unlock();
	bpf_preempt_disable();
	note(2);
	bpf_preempt_enable();
	note(exists(bpf_kernel_has_no_such));
	if (exists(bpf_kernel_has_no_such))
		note(bpf_kernel_has_no_such(1));
	note(exists(bpf_strcmp));
	return 2;
}

const volatile int wanted_pid = 1;

SEC("?xdp")
int absent_task(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(-1);

	note(!task);
	if (task)
		bpf_task_release(task);
	return 2;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(find_task, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_struct *task, *again;

	if (at)
		return 0;
	task = bpf_task_from_pid(wanted_pid);
	if (!task)
		return 0;
	note(task->pid);
	again = bpf_task_acquire(task);
	if (again) {
		note((__s64)again == (__s64)task);
		bpf_task_release(again);
	}
	bpf_task_release(task);
	again = bpf_task_acquire(next);
	if (again) {
		note(again->pid == next->pid);
		bpf_task_release(again);
	}
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(walk_tasks, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_struct *task;
	struct bpf_iter_task it;

	at = 0;
	bpf_iter_task_new(&it, 0, 0);
	while ((task = bpf_iter_task_next(&it)))
		note(task->pid);
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(walk_threads, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_struct *task;
	struct bpf_iter_task it;

	at = 0;
	bpf_iter_task_new(&it, 0, 1);
	while ((task = bpf_iter_task_next(&it)))
		note(((__s64)task->tgid << 32) | task->pid);
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(wrong_flags, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct bpf_iter_task it;

	at = 0;
	note(bpf_iter_task_new(&it, 0, 2));
	note(!bpf_iter_task_next(&it));
	bpf_iter_task_destroy(&it);
	note(bpf_iter_task_new(&it, 0, 3));
	bpf_iter_task_destroy(&it);
	note(bpf_iter_task_new(&it, prev, 2));
	note((__s64)bpf_iter_task_next(&it) == (__s64)prev);
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(cast_context, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_struct *cast = bpf_rdonly_cast(prev, 0);

	at = 0;
	note((__s64)bpf_cast_to_kern_ctx(ctx) == (__s64)ctx);
	note(cast->pid == prev->pid);
	return 0;
}

/* Wrong: what a verifier would refuse. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(release_what_is_not_ours, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bpf_task_release(prev);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(acquire_null, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bpf_task_acquire(0);
	return 0;
}

SEC("?xdp")
int next_of_nothing(void *ctx)
{
	struct bpf_iter_num it = {};

	return !bpf_iter_num_next(&it);
}

SEC("?xdp")
int new_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 1);
	bpf_iter_num_new(&it, 0, 1);
	bpf_iter_num_destroy(&it);
	return 2;
}

SEC("?raw_tp/sched_switch")
int of_the_wrong_type(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("?fentry/vfs_read")
int BPF_PROG(cannot_sleep)
{
	char text[8];

	return bpf_copy_from_user_str(text, 8, (void *)0x1000, 0);
}

SEC("?kprobe.session/vfs_read")
int session(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie();

	if (bpf_session_is_return()) {
		note(*cookie);
	} else {
		note(-(__s64)*cookie - 1);
		*cookie = bpf_get_current_pid_tgid();
	}
	return 0;
}
