/* Values of a kernel's configuration, of every type that one can have. */
#include "bpf.h"

enum libbpf_tristate { TRI_NO, TRI_YES, TRI_MODULE };

extern int CONFIG_HZ KCONFIG;
extern bool CONFIG_SMP KCONFIG WEAK;
extern enum libbpf_tristate CONFIG_MODULES KCONFIG WEAK;
extern char CONFIG_BPF KCONFIG WEAK;
extern char CONFIG_DEFAULT_HOSTNAME[8] KCONFIG WEAK;
extern u64 CONFIG_NR_CPUS KCONFIG WEAK;

struct {
	int hz;
	bool smp;
	enum libbpf_tristate modules;
	char bpf;
	char name[8];
	u64 cpus;
} seen;

SEC("perf_event")
int configuration(void *ctx)
{
	seen.hz = CONFIG_HZ;
	seen.smp = CONFIG_SMP;
	seen.modules = CONFIG_MODULES;
	seen.bpf = CONFIG_BPF;
	seen.cpus = CONFIG_NR_CPUS;
#pragma unroll
	for (int i = 0; i < 8; i++)
		seen.name[i] = CONFIG_DEFAULT_HOSTNAME[i];
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
