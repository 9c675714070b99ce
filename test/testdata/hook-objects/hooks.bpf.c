/*
 * One program for each kind of hook, which keeps what it sees: context, return value, cookie, address, stack. Tests choose
 * which of them they load. Types of the kernel are Linux's by name; where members are, CO-RE knows.
 */
#include <linux/bpf.h>
#include <stdbool.h>
/* Registers by the kernel's own names. */
#define __VMLINUX_H__
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct qstr {
	const unsigned char *name;
};
struct dentry {
	struct qstr d_name;
};
struct path {
	struct dentry *dentry;
};
struct file {
	struct path f_path;
	unsigned int f_flags;
};
struct pt_regs {
	unsigned long r10;
	unsigned long r8;
	unsigned long r9;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long ip;
};
struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period;
	__u64 addr;
};
struct task_struct {
	int pid;
	int tgid;
	char comm[16];
};
#pragma clang attribute pop

struct hook_event {
	char hook[16];
	__u64 args[4];
	__s64 ret;
	__u64 cookie;
	__u64 ip;
	__u64 pid_tgid;
	__s64 frames;
	__u64 stack[6];
	char text[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

/* Keeps the type in the BTF. */
const struct hook_event *unused_event __attribute__((unused));

const volatile unsigned int wanted_tgid = 0;

static __always_inline struct hook_event *begin(void *ctx, const char *hook)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct hook_event *event;
	if (wanted_tgid && pid_tgid >> 32 != wanted_tgid)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	__builtin_memcpy(event->hook, hook, 16);
	event->pid_tgid = pid_tgid;
	event->cookie = bpf_get_attach_cookie(ctx);
	event->frames = bpf_get_stack(ctx, event->stack, sizeof(event->stack), 0);
	return event;
}

static __always_inline void args3(struct hook_event *event, __u64 a, __u64 b, __u64 c)
{
	event->args[0] = a;
	event->args[1] = b;
	event->args[2] = c;
}

#define BEGIN(ctx, name)                                     \
	static const char hook_name[16] = name;              \
	struct hook_event *event = begin(ctx, hook_name);    \
	if (!event)                                          \
		return 0

SEC("?fentry/vfs_read")
int BPF_PROG(on_fentry, struct file *file, char *buf, unsigned long count, long long *pos)
{
	BEGIN(ctx, "fentry");
	args3(event, (__u64)file, (__u64)buf, count);
	event->args[3] = bpf_get_func_arg_cnt(ctx);
	event->ip = bpf_get_func_ip(ctx);
	bpf_get_func_arg(ctx, 2, (__u64 *)&event->ret);
	bpf_probe_read_kernel_str(event->text, sizeof(event->text), file->f_path.dentry->d_name.name);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?fexit/vfs_read")
int BPF_PROG(on_fexit, struct file *file, char *buf, unsigned long count, long long *pos, long ret)
{
	BEGIN(ctx, "fexit");
	__u64 value = 0;
	args3(event, (__u64)file, (__u64)buf, count);
	bpf_get_func_ret(ctx, &value);
	event->args[3] = value;
	event->ret = ret;
	event->ip = bpf_get_func_ip(ctx);
	bpf_probe_read_kernel_str(event->text, sizeof(event->text), file->f_path.dentry->d_name.name);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

const volatile unsigned long deny_every = 0;
unsigned long opened = 0;

/* Lets every deny_every-th file not be opened. */
SEC("?fmod_ret/security_file_open")
int BPF_PROG(on_fmod_ret, struct file *file, int ret)
{
	BEGIN(ctx, "fmod_ret");
	event->args[0] = (__u64)file;
	event->ret = ret;
	event->ip = bpf_get_func_ip(ctx);
	bpf_probe_read_kernel_str(event->text, sizeof(event->text), file->f_path.dentry->d_name.name);
	bpf_ringbuf_submit(event, 0);
	return deny_every && ++opened % deny_every == 0 ? -13 : 0;
}

/* What the task at hand and the file are: names, user registers, stack, memory. */
SEC("?fentry.s/security_file_open")
int BPF_PROG(on_open_asks, struct file *file)
{
	BEGIN(ctx, "asks");
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
	event->ret = bpf_d_path((struct path *)&file->f_path, event->text, sizeof(event->text));
	event->args[0] = regs->ip;
	event->args[1] = regs->si;
	event->args[2] = bpf_copy_from_user(&event->args[3], 8, (void *)regs->si);
	event->frames = bpf_get_task_stack(task, event->stack, sizeof(event->stack), 0);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?fexit/security_file_open")
int BPF_PROG(on_denied, struct file *file, int ret)
{
	BEGIN(ctx, "fexit denied");
	event->args[0] = (__u64)file;
	event->ret = ret;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(on_tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	BEGIN(ctx, "tp_btf");
	args3(event, preempt, prev->pid, next->pid);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?raw_tp/sched_switch")
int on_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	BEGIN(ctx, "raw_tp");
	struct task_struct *prev = (void *)ctx->args[1], *next = (void *)ctx->args[2];
	args3(event, ctx->args[0], BPF_CORE_READ(prev, pid), BPF_CORE_READ(next, pid));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

struct sched_process_exit_args {
	__u64 common;
	char comm[16];
	int pid;
	int prio;
};

SEC("?tracepoint/sched/sched_process_exit")
int on_tracepoint(struct sched_process_exit_args *ctx)
{
	BEGIN(ctx, "tracepoint");
	args3(event, ctx->pid, ctx->prio, 0);
	__builtin_memcpy(event->text, ctx->comm, 16);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?kprobe/vfs_read")
int BPF_KPROBE(on_kprobe, struct file *file, char *buf, unsigned long count)
{
	BEGIN(ctx, "kprobe");
	args3(event, (__u64)file, (__u64)buf, count);
	event->ip = bpf_get_func_ip(ctx);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?kretprobe/vfs_read")
int BPF_KRETPROBE(on_kretprobe, long ret)
{
	BEGIN(ctx, "kretprobe");
	event->ret = ret;
	event->ip = bpf_get_func_ip(ctx);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?kprobe.multi/vfs_*")
int BPF_KPROBE(on_kprobe_multi, void *first, void *second, unsigned long third)
{
	BEGIN(ctx, "kprobe.multi");
	args3(event, (__u64)first, (__u64)second, third);
	event->ip = bpf_get_func_ip(ctx);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?kprobe.session/vfs_read")
int on_session(struct pt_regs *ctx)
{
	BEGIN(ctx, "kprobe.session");
	args3(event, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));
	event->ret = PT_REGS_RC(ctx);
	event->ip = bpf_get_func_ip(ctx);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?ksyscall/openat")
int BPF_KSYSCALL(on_ksyscall, int dfd, const char *name, int flags)
{
	BEGIN(ctx, "ksyscall");
	args3(event, dfd, (__u64)name, flags);
	event->ip = bpf_get_func_ip(ctx);
	bpf_probe_read_user_str(event->text, sizeof(event->text), name);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?kretsyscall/openat")
int BPF_KRETPROBE(on_kretsyscall, long ret)
{
	BEGIN(ctx, "kretsyscall");
	event->ret = ret;
	event->ip = bpf_get_func_ip(ctx);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?uprobe//bin/op:open")
int BPF_KPROBE(on_uprobe, const char *name, int flags)
{
	BEGIN(ctx, "uprobe");
	args3(event, (__u64)name, flags, 0);
	event->ip = bpf_get_func_ip(ctx);
	event->frames = bpf_get_stack(ctx, event->stack, sizeof(event->stack), BPF_F_USER_STACK);
	bpf_probe_read_user_str(event->text, sizeof(event->text), name);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?uretprobe//bin/op:open")
int BPF_KRETPROBE(on_uretprobe, int ret)
{
	BEGIN(ctx, "uretprobe");
	event->ret = ret;
	event->ip = bpf_get_func_ip(ctx);
	event->frames = bpf_get_stack(ctx, event->stack, sizeof(event->stack), BPF_F_USER_STACK);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	BEGIN(ctx, "perf_event");
	args3(event, ctx->sample_period, ctx->addr, 0);
	event->ip = PT_REGS_IP(&ctx->regs);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
