/*
 * What iterators show their programs, and what they show of BPF itself: Linux's names, laid out as here. One pointer to each
 * keeps them in the debug information. kscope fills them in, by these very types.
 */
#include "fs.h"

enum bpf_map_type {
	BPF_MAP_TYPE_UNSPEC,
	BPF_MAP_TYPE_HASH,
	BPF_MAP_TYPE_ARRAY,
};

typedef struct {
	s64 counter;
} atomic64_t;

struct seq_file {
	char *buf;
	size_t size;
	size_t from;
	size_t count;
	loff_t index;
	void *private;
};

struct bpf_map {
	const void *ops;
	enum bpf_map_type map_type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u64 map_extra;
	u32 map_flags;
	u32 id;
	u32 btf_key_type_id;
	u32 btf_value_type_id;
	char name[16];
	atomic64_t refcnt;
	atomic64_t usercnt;
	bool frozen;
};

/* That it exists says that there are ring buffers: programs look for it. */
struct bpf_ringbuf {
	u64 mask;
	int nr_pages;
	unsigned long consumer_pos;
	unsigned long producer_pos;
	char data[];
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
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

union bpf_kept_types {
	struct bpf_ringbuf *ringbuf;
	struct bpf_iter__task *task;
	struct bpf_iter__task_file *task_file;
	struct bpf_iter__bpf_map *bpf_map;
	struct bpf_iter__bpf_map_elem *bpf_map_elem;
};
union bpf_kept_types bpf_kept_types __used;
