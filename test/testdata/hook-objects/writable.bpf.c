/* A program that writes what a tracepoint lets it write, and tries to write more. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int seen = 0;
__u64 cookie = 0;
const volatile int answer = -5;
const volatile _Bool beyond = 0;

SEC("raw_tp.w/bpf_test_finish")
int on_finish(struct bpf_raw_tracepoint_args *ctx)
{
	int *err = (int *)ctx->args[0];
	seen = *err;
	cookie = bpf_get_attach_cookie(ctx);
	*err = answer;
	if (beyond)
		err[1] = 1;
	return 0;
}

char _license[] SEC("license") = "GPL";
