// SPDX-License-Identifier: MIT
/* filetop: reads and writes of each process and file, and their bytes. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16
#define NAME_LEN 32

struct key {
	__u32 pid;
	char comm[TASK_COMM_LEN];
	char file[NAME_LEN];
};

struct io {
	__u64 reads;
	__u64 read_bytes;
	__u64 writes;
	__u64 written_bytes;
};

/* Only this process, or 0 for all. */
const volatile __u32 target_pid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct key);
	__type(value, struct io);
} files SEC(".maps");

static const struct io none;

static __always_inline struct io *io_of(struct file *file)
{
	struct key key = { .pid = bpf_get_current_pid_tgid() >> 32 };

	if (target_pid && target_pid != key.pid)
		return 0;
	bpf_get_current_comm(&key.comm, sizeof(key.comm));
	bpf_probe_read_kernel_str(key.file, sizeof(key.file), file->f_path.dentry->d_name.name);
	bpf_map_update_elem(&files, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&files, &key);
}

/* Calls that failed moved nothing. */
SEC("fexit/vfs_read")
int BPF_PROG(vfs_read, struct file *file, char *buf, unsigned long count, s64 *pos, long ret)
{
	struct io *io = ret < 0 ? 0 : io_of(file);

	if (io) {
		__sync_fetch_and_add(&io->reads, 1);
		__sync_fetch_and_add(&io->read_bytes, ret);
	}
	return 0;
}

SEC("fexit/vfs_write")
int BPF_PROG(vfs_write, struct file *file, const char *buf, unsigned long count, s64 *pos, long ret)
{
	struct io *io = ret < 0 ? 0 : io_of(file);

	if (io) {
		__sync_fetch_and_add(&io->writes, 1);
		__sync_fetch_and_add(&io->written_bytes, ret);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
