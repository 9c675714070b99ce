/* Programs on user probes that keep what they saw, for tests. libbpf's own macros read the USDT arguments. */
#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

struct seen {
	__u64 kind;
	__u64 ip;
	__u64 first;
	__u64 second;
	__u64 cookie;
	char text[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 262144);
} events SEC(".maps");

static __always_inline void emit(__u64 kind, __u64 ip, __u64 first, __u64 second, __u64 cookie, const void *text)
{
	struct seen *seen = bpf_ringbuf_reserve(&events, sizeof(*seen), 0);
	if (!seen)
		return;
	seen->kind = kind;
	seen->ip = ip;
	seen->first = first;
	seen->second = second;
	seen->cookie = cookie;
	seen->text[0] = 0;
	if (text)
		bpf_probe_read_user_str(seen->text, sizeof(seen->text), text);
	bpf_ringbuf_submit(seen, 0);
}

SEC("uprobe//bin/op:file_operation")
int on_operation(struct pt_regs *ctx)
{
	emit(1, bpf_get_func_ip(ctx), PT_REGS_PARM1(ctx), PT_REGS_IP(ctx), bpf_get_attach_cookie(ctx),
	     (const void *)PT_REGS_PARM1(ctx));
	return 0;
}

SEC("uretprobe//bin/op:open")
int on_opened(struct pt_regs *ctx)
{
	emit(2, PT_REGS_IP(ctx), PT_REGS_RC(ctx), 0, 0, 0);
	return 0;
}

SEC("usdt//bin/op:op:operation")
int BPF_USDT(on_probe, const char *name, long argument)
{
	emit(3, bpf_usdt_arg_cnt(ctx), (__u64)name, (__u64)argument, bpf_usdt_cookie(ctx), name);
	return 0;
}

char _license[] SEC("license") = "GPL";
