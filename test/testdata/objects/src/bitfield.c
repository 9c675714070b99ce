/* Bit-fields: offset and size of the load, shifts and signedness; plain members beside them. */
#include "bpf.h"
#include "kernel.h"

u64 sink;

struct tcp_sock { u8 nonagle : 4, thin_lto : 1; u32 srtt_us; u8 recvmsg_inq : 1; } KERNEL;
struct sk_buff { u8 pkt_type : 3; u8 ignore_df : 1; u8 ip_summed : 2; u32 len; } KERNEL;
struct iphdr { u8 ihl : 4, version : 4; u16 tot_len; } KERNEL;
struct page_counter___none { u32 nothing : 3; } KERNEL;
struct task_struct___bits { unsigned int in_execve : 1; int exit_state; s8 on_rq; } KERNEL;
enum pid_type { PIDTYPE_PID };
struct pid_namespace { int pid_allocated; unsigned int level; } KERNEL;

/* The value of a bit-field as a program reads it: one load of the right width, two shifts. */
#define READ_BITS(object, field)                                                                     \
	({                                                                                           \
		const void *at = (const void *)(object) + FIELD_BYTE_OFFSET((object)->field);        \
		u64 bits = 0;                                                                        \
		switch (FIELD_BYTE_SIZE((object)->field)) {                                          \
		case 1: bits = *(const u8 *)at; break;                                               \
		case 2: bits = *(const u16 *)at; break;                                              \
		case 4: bits = *(const u32 *)at; break;                                              \
		case 8: bits = *(const u64 *)at; break;                                              \
		}                                                                                    \
		bits <<= FIELD_LSHIFT((object)->field);                                              \
		FIELD_SIGNED((object)->field) ? (u64)((s64)bits >> FIELD_RSHIFT((object)->field))    \
					      : bits >> FIELD_RSHIFT((object)->field);               \
	})

SEC("socket")
int task_bits(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();

	sink = READ_BITS(task, in_iowait);
	sink += READ_BITS(task, sched_reset_on_fork);
	sink += READ_BITS(&task[1], in_execve);
	return 0;
}

SEC("xdp")
int network_bits(void *ctx)
{
	struct sk_buff *skb = *(struct sk_buff **)ctx;
	struct tcp_sock *tcp = *(struct tcp_sock **)ctx;
	struct iphdr *ip = *(struct iphdr **)ctx;

	sink = READ_BITS(skb, pkt_type) + READ_BITS(skb, ip_summed) + READ_BITS(skb, ignore_df);
	sink += READ_BITS(tcp, nonagle) + READ_BITS(tcp, recvmsg_inq);
	sink += READ_BITS(ip, ihl) + READ_BITS(ip, version);
	return 0;
}

/* The same questions about members that are no bit-fields, signed and unsigned. */
SEC("tc")
int plain_members(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();
	struct task_struct___bits *other = (void *)task;

	sink = READ_BITS(task, pid) + READ_BITS(task, flags) + READ_BITS(task, start_time);
	sink += READ_BITS(other, exit_state) + READ_BITS(other, in_execve);
	sink += FIELD_SIGNED(task->se.vruntime) + FIELD_SIGNED(((struct pid_namespace *)0)->level);
	sink += FIELD_LSHIFT(((struct dentry *)0)->d_name.len) + FIELD_RSHIFT(((struct dentry *)0)->d_name.len);
	sink += FIELD_SIGNED(((struct dentry *)0)->d_name.len);
	return 0;
}

SEC("classifier")
int absent_bits(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();
	struct page_counter___none *none = (void *)task;

	if (FIELD_EXISTS(task->jobctl_missing_here))
		sink = READ_BITS(task, jobctl_missing_here);
	if (FIELD_EXISTS(none->nothing))
		sink += READ_BITS(none, nothing);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
