/* Calls a kernel function that there is not, without being ready for that; and one of another type than the kernel's. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define KSYM __attribute__((section(".ksyms")))

extern int bpf_kernel_has_no_such(int) KSYM;
extern int bpf_strlen(int, int) KSYM;

char _license[] SEC("license") = "GPL";

SEC("?xdp")
int missing(void *ctx)
{
	return bpf_kernel_has_no_such(1);
}

SEC("?xdp")
int of_another_type(void *ctx)
{
	return bpf_strlen(1, 2);
}
