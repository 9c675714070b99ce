/* Control groups: their tree, and which of them a task is in. */
#include "cgroup.h"
#include "journal.h"
#include "uapi.h"

#define CGROUP_PATH_MAX 128

/* Guards the tree; the spinlock guards who is where. */
static struct mutex cgroup_mutex = __MUTEX_INITIALIZER(cgroup_mutex);
static spinlock_t css_set_lock;
static volatile long kernfs_ids;

struct cgroup_root cgrp_dfl_root;
struct css_set init_css_set = { .refcount = { 1 }, .tasks = LIST_HEAD_INIT(init_css_set.tasks) };

struct kernfs_node *kernfs_new_node(struct kernfs_node *parent, const char *name, umode_t mode, unsigned short flags)
{
	struct kernfs_node *kn = kzalloc(sizeof(*kn), GFP_KERNEL);
	char *copy = kstrdup(name);
	if (!kn || !copy) {
		kfree(copy);
		kfree(kn);
		return NULL;
	}
	kn->name = copy;
	kn->parent = parent;
	kn->id = (u64)__atomic_add_fetch(&kernfs_ids, 1, __ATOMIC_SEQ_CST);
	kn->mode = mode;
	kn->flags = flags;
	return kn;
}

void kernfs_put(struct kernfs_node *kn)
{
	kfree(kn->name);
	kfree(kn);
}

/* The names from the root on; "/" for the root itself. */
size_t cgroup_path(struct cgroup *cgrp, char *buf, size_t size)
{
	size_t n = 0;
	int level;
	for (level = 1; level <= cgrp->level; level++) {
		if (n < size - 1)
			buf[n++] = '/';
		n += strscpy(buf + n, cgrp->ancestors[level]->kn->name, size - n);
	}
	if (!n)
		n = strscpy(buf, "/", size);
	return n;
}

/* A group that has no place yet. */
struct cgroup *cgroup_alloc(int level)
{
	struct cgroup *cgrp = kzalloc(sizeof(*cgrp) + (size_t)(level + 1) * sizeof(cgrp), GFP_KERNEL);
	if (!cgrp)
		return NULL;
	cgrp->level = level;
	cgrp->max_depth = CGROUP_DEPTH_MAX;
	cgrp->root = &cgrp_dfl_root;
	cgrp->self.cgroup = cgrp;
	atomic_set(&cgrp->refcnt, 1);
	return cgrp;
}

/* The last one takes the group; it holds its parent until then, so that what is left of it has all its ancestors. */
void cgroup_put(struct cgroup *cgrp)
{
	while (cgrp && atomic_dec_and_test(&cgrp->refcnt)) {
		struct cgroup *parent = cgrp->self.parent ? cgrp->self.parent->cgroup : NULL;
		kernfs_put(cgrp->kn);
		kfree(cgrp->cset);
		kfree(cgrp);
		cgrp = parent;
	}
}

void put_css_set(struct css_set *cset)
{
	if (atomic_dec_and_test(&cset->refcount))
		cgroup_put(cset->dfl_cgrp);
}

struct css_set *alloc_css_set(struct cgroup *cgrp)
{
	struct css_set *cset = kzalloc(sizeof(*cset), GFP_KERNEL);
	if (!cset)
		return NULL;
	atomic_set(&cset->refcount, 1);
	INIT_LIST_HEAD(&cset->tasks);
	cset->dfl_cgrp = cgrp;
	return cset;
}

void cgroup_init(void)
{
	struct cgroup *root = cgroup_alloc(0);
	cgrp_dfl_root.cgrp = root;
	root->kn = kernfs_new_node(NULL, "", S_IFDIR | 0755, KERNFS_DIR);
	root->kn->priv = root;
	root->ancestors[0] = root;
	root->cset = &init_css_set;
	init_css_set.dfl_cgrp = root;
	atomic_set(&cgrp_dfl_root.nr_cgrps, 1);
}

void count_descendants(struct cgroup *cgrp, int change)
{
	int level;
	for (level = 0; level < cgrp->level; level++)
		cgrp->ancestors[level]->nr_descendants += change;
	__atomic_add_fetch(&cgrp_dfl_root.nr_cgrps.counter, change, __ATOMIC_SEQ_CST);
}

struct cgroup *cgroup_create(struct cgroup *parent, const char *name, umode_t mode)
{
	struct cgroup *cgrp = cgroup_alloc(parent->level + 1);
	if (!cgrp)
		return ERR_PTR(-ENOMEM);
	cgrp->kn = kernfs_new_node(parent->kn, name, mode, KERNFS_DIR);
	cgrp->cset = alloc_css_set(cgrp);
	if (!cgrp->kn || !cgrp->cset) {
		if (cgrp->kn)
			kernfs_put(cgrp->kn);
		kfree(cgrp->cset);
		kfree(cgrp);
		return ERR_PTR(-ENOMEM);
	}
	cgrp->kn->priv = cgrp;
	cgrp->self.parent = &parent->self;
	atomic_inc(&parent->refcnt);
	/* Its css_set holds it too. */
	atomic_inc(&cgrp->refcnt);
	memcpy(cgrp->ancestors, parent->ancestors, (size_t)(parent->level + 1) * sizeof(cgrp));
	cgrp->ancestors[cgrp->level] = cgrp;
	count_descendants(cgrp, 1);
	return cgrp;
}

struct cgroup *cgroup_mkdir(struct kernfs_node *parent_kn, const char *name, umode_t mode)
{
	struct cgroup *parent = parent_kn->priv, *cgrp;
	char path[CGROUP_PATH_MAX];
	mutex_lock(&cgroup_mutex);
	cgrp = parent->level >= CGROUP_DEPTH_MAX ? ERR_PTR(-EAGAIN) : cgroup_create(parent, name, mode);
	if (!IS_ERR(cgrp)) {
		cgroup_path(cgrp, path, sizeof(path));
		journal(J_CGROUP_MKDIR, pid_tgid(current), (u64)path, cgrp->kn->id, (u64)cgrp->level);
		trace(cgroup_mkdir, cgrp, path);
	}
	mutex_unlock(&cgroup_mutex);
	return cgrp;
}

bool cgroup_is_populated(struct cgroup *cgrp)
{
	bool populated;
	_raw_spin_lock(&css_set_lock);
	populated = cgrp->cset->nr_tasks != 0;
	_raw_spin_unlock(&css_set_lock);
	return populated;
}

/* The group leaves the tree; tasks that have died in it keep it until they are reaped. */
int cgroup_rmdir(struct kernfs_node *kn)
{
	struct cgroup *cgrp = kn->priv;
	char path[CGROUP_PATH_MAX];
	int error = 0;
	mutex_lock(&cgroup_mutex);
	if (cgroup_is_populated(cgrp) || cgrp->nr_descendants)
		error = -EBUSY;
	if (!error) {
		cgroup_path(cgrp, path, sizeof(path));
		journal(J_CGROUP_RMDIR, pid_tgid(current), (u64)path, cgrp->kn->id, (u64)cgrp->level);
		trace(cgroup_rmdir, cgrp, path);
		count_descendants(cgrp, -1);
		put_css_set(cgrp->cset);
		cgroup_put(cgrp);
	}
	mutex_unlock(&cgroup_mutex);
	return error;
}

/* The lock is held. */
void css_set_move_task(struct task_struct *task, struct css_set *from, struct css_set *to)
{
	if (!list_empty(&task->cg_list)) {
		list_del_init(&task->cg_list);
		from->nr_tasks--;
	}
	list_add_tail(&task->cg_list, &to->tasks);
	to->nr_tasks++;
}

/* Moves one task, unless it is dying. */
void cgroup_migrate_task(struct task_struct *task, struct css_set *to)
{
	struct css_set *from;
	_raw_spin_lock(&css_set_lock);
	from = task->cgroups;
	if (from == to || list_empty(&task->cg_list)) {
		_raw_spin_unlock(&css_set_lock);
		return;
	}
	atomic_inc(&to->refcount);
	css_set_move_task(task, from, to);
	task->cgroups = to;
	_raw_spin_unlock(&css_set_lock);
	put_css_set(from);
}

/* The threads of a process, or the one. cgroup_mutex is held. */
void cgroup_migrate(struct task_struct *leader, bool threadgroup, struct css_set *to)
{
	struct list_head *pos;
	if (!threadgroup) {
		cgroup_migrate_task(leader, to);
		return;
	}
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *task = list_entry(pos, struct task_struct, tasks);
		if (task->group_leader == leader)
			cgroup_migrate_task(task, to);
	}
	_raw_spin_unlock(&tasklist_lock);
}

int cgroup_attach_task(struct cgroup *dst_cgrp, struct task_struct *leader, bool threadgroup)
{
	char path[CGROUP_PATH_MAX];
	cgroup_migrate(leader, threadgroup, dst_cgrp->cset);
	cgroup_path(dst_cgrp, path, sizeof(path));
	journal(J_CGROUP_ATTACH, pid_tgid(leader), (u64)path, dst_cgrp->kn->id, (u64)dst_cgrp->level);
	trace(cgroup_attach_task, dst_cgrp, path, leader, threadgroup);
	return 0;
}

/* Moves the process whose number was written; 0 is the writer's own. */
int cgroup_procs_write(struct cgroup *cgrp, pid_t pid)
{
	struct task_struct *task;
	int error = -ESRCH;
	mutex_lock(&cgroup_mutex);
	task = pid ? find_task_by_pid(pid) : current;
	if (task)
		error = task->flags & PF_KTHREAD ? -EINVAL : cgroup_attach_task(cgrp, task->group_leader, true);
	mutex_unlock(&cgroup_mutex);
	return error;
}

/* Numbers of the processes in the group, a line each. */
size_t cgroup_procs_show(struct cgroup *cgrp, char *text, size_t size)
{
	struct list_head *pos;
	size_t n = 0;
	_raw_spin_lock(&css_set_lock);
	list_for_each(pos, &cgrp->cset->tasks) {
		const struct task_struct *task = list_entry(pos, struct task_struct, cg_list);
		if (task->group_leader == task && n + 12 < size)
			n += number_line(text + n, (u32)task->pid);
	}
	_raw_spin_unlock(&css_set_lock);
	return n;
}

/* The child is in its parent's group from its first moment on; threads of the kernel are in none but the root. */
void cgroup_fork(struct task_struct *child)
{
	_raw_spin_lock(&css_set_lock);
	child->cgroups = child->flags & PF_KTHREAD ? &init_css_set : current->cgroups;
	atomic_inc(&child->cgroups->refcount);
	css_set_move_task(child, NULL, child->cgroups);
	_raw_spin_unlock(&css_set_lock);
}

/* Nobody finds the task in its group any more; it still belongs there. */
void cgroup_exit(struct task_struct *tsk)
{
	_raw_spin_lock(&css_set_lock);
	if (!list_empty(&tsk->cg_list)) {
		list_del_init(&tsk->cg_list);
		tsk->cgroups->nr_tasks--;
	}
	_raw_spin_unlock(&css_set_lock);
}

void cgroup_free(struct task_struct *task)
{
	if (task->cgroups)
		put_css_set(task->cgroups);
}
