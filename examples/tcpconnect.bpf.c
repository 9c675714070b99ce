// SPDX-License-Identifier: MIT
/* tcpconnect: every connection that a program opens over IPv4, with its two ends and the call's result. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16

struct event {
	__u64 ts;
	__u32 pid;
	int ret;
	__u8 saddr[4];
	__u8 daddr[4];
	__u16 sport;
	__u16 dport;
	char comm[TASK_COMM_LEN];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

/* Only connections to this port, or 0 for all. */
const volatile __u16 target_port = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct sock *);
} __connecting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(connect_enter, struct sock *sk)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&__connecting, &tid, &sk, BPF_ANY);
	return 0;
}

/* The ends are known when the function returns: it has chosen address and port. */
SEC("kretprobe/tcp_v4_connect")
int BPF_KRETPROBE(connect_exit, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct sock **found = bpf_map_lookup_elem(&__connecting, &tid);
	struct event *event;
	struct sock *sk;
	__u16 dport;

	if (!found)
		return 0;
	sk = *found;
	bpf_map_delete_elem(&__connecting, &tid);
	dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (target_port && target_port != dport)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->ts = bpf_ktime_get_ns();
	event->pid = id >> 32;
	event->ret = ret;
	BPF_CORE_READ_INTO(&event->saddr, sk, __sk_common.skc_rcv_saddr);
	BPF_CORE_READ_INTO(&event->daddr, sk, __sk_common.skc_daddr);
	event->sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	event->dport = dport;
	bpf_get_current_comm(&event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
