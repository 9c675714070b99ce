/* Control groups: one hierarchy, version 2, without controllers. Linux's names, this kernel's own order. */
#pragma once
#include "fs.h"

/* Levels below the root. */
#define CGROUP_DEPTH_MAX 16

enum kernfs_node_type { KERNFS_DIR = 1, KERNFS_FILE = 2 };

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
	/* Also the number of its inode. */
	u64 id;
	unsigned short flags;
	umode_t mode;
	void *priv;
};

struct cgroup;
struct css_set;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
	int id;
	unsigned int flags;
};

struct cgroup_root {
	int hierarchy_id;
	unsigned int subsys_mask;
	atomic_t nr_cgrps;
	struct cgroup *cgrp;
	char name[64];
};

struct cgroup {
	struct cgroup_subsys_state self;
	unsigned long flags;
	int level;
	int max_depth;
	int nr_descendants;
	/* The hierarchy has one; so do its children, and the tasks by their css_set. */
	atomic_t refcnt;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct css_set *cset;
	/* Itself included. */
	struct cgroup *ancestors[];
};

/* What tasks of one group have in common. */
struct css_set {
	atomic_t refcount;
	struct cgroup *dfl_cgrp;
	int nr_tasks;
	struct list_head tasks;
};

extern struct cgroup_root cgrp_dfl_root;
extern struct css_set init_css_set;

struct cgroup *cgroup_mkdir(struct kernfs_node *parent_kn, const char *name, umode_t mode);
int cgroup_rmdir(struct kernfs_node *kn);
int cgroup_attach_task(struct cgroup *dst_cgrp, struct task_struct *leader, bool threadgroup);
size_t cgroup_procs_show(struct cgroup *cgrp, char *text, size_t size);
struct kernfs_node *kernfs_new_node(struct kernfs_node *parent, const char *name, umode_t mode, unsigned short flags);
void kernfs_put(struct kernfs_node *kn);
size_t number_line(char *to, u64 value);
void cgroup_fs_init(void);
