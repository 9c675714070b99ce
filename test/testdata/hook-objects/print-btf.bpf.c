/* A value in memory, printed by a type of the kernel; and the task of each call of an iterator. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file {
	int count;
};
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct task_struct {
	int pid;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
#pragma clang attribute pop

char _license[] SEC("license") = "GPL";

struct value {
	__u32 type_id;
	__u32 size;
	__u64 flags;
	__u64 where;
	__s64 result;
	unsigned char bytes[1024];
	char text[16384];
} value SEC(".data.value");

SEC("?xdp")
int print(void *ctx)
{
	struct btf_ptr ptr = { .type_id = value.type_id };
	__u32 size = value.size;

	ptr.ptr = value.where ? (void *)value.where : value.bytes;
	if (size < 1 || size > sizeof(value.text))
		return 1;
	value.result = bpf_snprintf_btf(value.text, size, &ptr, sizeof(ptr), value.flags);
	return 2;
}

__u32 task_type;

SEC("?iter/task")
int print_task(struct bpf_iter__task *ctx)
{
	struct btf_ptr ptr = { .ptr = ctx->task };

	if (!ctx->task || ctx->task->pid != 1)
		return 0;
	ptr.type_id = bpf_core_type_id_kernel(struct task_struct);
	bpf_seq_printf_btf(ctx->meta->seq, &ptr, sizeof(ptr), 0);
	return 0;
}
