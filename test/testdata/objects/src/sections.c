/* Section names, one program each. */
#include "bpf.h"

#define PROGRAM(name, section) SEC(section) int name(void *ctx) { return 0; }

PROGRAM(kprobe_offset, "kprobe/vfs_read+0x10")
PROGRAM(kprobe_decimal, "kprobe/vfs_read+16")
PROGRAM(kprobe_dots, "kprobe/do_exit.isra.0")
PROGRAM(kprobe_alone, "kprobe")
PROGRAM(kretprobe_symbol, "kretprobe/vfs_read")
PROGRAM(tracepoint_long, "tracepoint/sched/sched_switch")
PROGRAM(tracepoint_short, "tp/irq/irq_handler_entry")
PROGRAM(raw_long, "raw_tracepoint/sched_switch")
PROGRAM(raw_short, "raw_tp/sys_enter")
PROGRAM(raw_writable, "raw_tp.w/nbd_send_request")
PROGRAM(sampled, "perf_event")
PROGRAM(packets, "socket")
PROGRAM(express, "xdp")
PROGRAM(express_fragments, "xdp.frags")
PROGRAM(traffic, "tc")
PROGRAM(traffic_ingress, "tcx/ingress")
PROGRAM(group_packets, "cgroup_skb/egress")
PROGRAM(group_connect, "cgroup/connect4")
PROGRAM(multi, "kprobe.multi/vfs_*")
PROGRAM(syscall_entry, "ksyscall/openat")
PROGRAM(user_probe, "uprobe//bin/true:main")
PROGRAM(not_now, "?kprobe/vfs_write")
PROGRAM(plain_syscall, "syscall")

char LICENSE[] SEC("license") = "GPL";
