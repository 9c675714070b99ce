/* Iterators that print what they are shown, for tests. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file;
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
};
struct task_struct {
	int pid;
	int tgid;
	char comm[16];
};
struct bpf_map {
	__u32 id;
	char name[16];
	__u32 max_entries;
	__u32 key_size;
	__u32 value_size;
};
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};
#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 5000);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} percpu SEC(".maps");

/* How often dump_task has to be asked before it shows a task. */
unsigned int refusals = 0;

SEC("iter/task")
int dump_task(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	if (!task) {
		BPF_SEQ_PRINTF(seq, "end of session %llu, cookie %llu\n", ctx->meta->session_id, bpf_get_attach_cookie(ctx));
		return 0;
	}
	if (refusals) {
		refusals--;
		return 1;
	}
	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "%s\n", "    tgid      pid comm");
	BPF_SEQ_PRINTF(seq, "%8d %8d %s\n", task->tgid, task->pid, task->comm);
	return 0;
}

SEC("?iter/task")
int binary_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	int pid;
	if (!task)
		return 0;
	pid = task->pid;
	bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
	return 0;
}

SEC("iter/task_file")
int dump_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	if (!task || !file)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d %s\n", task->tgid, ctx->fd, file->f_path.dentry->d_name.name);
	return 0;
}

SEC("iter/bpf_map")
int dump_map(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;
	if (!map)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%u %s %u/%u %u\n", map->id, map->name, map->key_size, map->value_size, map->max_entries);
	return 0;
}

/* Shows each element, and takes it back to 0: not before its text was kept, else it is shown again. */
SEC("?iter/bpf_map_elem")
int dump_elem(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;
	if (!key || !value) {
		BPF_SEQ_PRINTF(seq, "end of %s\n", ctx->map->name);
		return 0;
	}
	if (BPF_SEQ_PRINTF(seq, "%s[%u] = %llu\n", ctx->map->name, *key, *value) == 0)
		*value = 0;
	return 0;
}

/* Values of a per-CPU map stand next to each other. */
SEC("?iter/bpf_map_elem")
int sum_elem(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;
	if (!key || !value)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%u: %llu + %llu\n", *key, value[0], value[1]);
	return 0;
}

/* More than a file's buffer holds, for one object. */
SEC("?iter/task")
int endless(struct bpf_iter__task *ctx)
{
	char line[64] = "sixty-three bytes of text, again and again, and once more....\n";
	int i;
	if (!ctx->task)
		return 0;
	for (i = 0; i < 600; i++)
		if (bpf_seq_write(ctx->meta->seq, line, 63))
			break;
	return 0;
}

char _license[] SEC("license") = "GPL";
