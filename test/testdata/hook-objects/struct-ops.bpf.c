/* Two tables of functions of the kernel: a congestion control, and one that is not made unless asked for. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sock;
struct tcp_congestion_ops {
	unsigned int flags;
	unsigned int (*ssthresh)(struct sock *sk);
	void (*init)(struct sock *sk);
	unsigned int small : 3;
	char name[16];
	unsigned long long limits[2];
};

char _license[] SEC("license") = "GPL";

SEC("struct_ops/ssthresh")
unsigned int ssthresh(unsigned long long *ctx)
{
	return ctx[0] + 1;
}

SEC("struct_ops/init")
void init(unsigned long long *ctx)
{
}

SEC(".struct_ops.link")
struct tcp_congestion_ops steady = {
	.ssthresh = (void *)ssthresh,
	.init = (void *)init,
	.flags = 7,
	.name = "steady",
	.limits = { 1, 1ull << 40 },
};

SEC("?.struct_ops")
struct tcp_congestion_ops spare = {
	.ssthresh = (void *)ssthresh,
	.name = "spare",
};
