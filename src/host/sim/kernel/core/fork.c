/* Tasks are born: fork, threads, kernel threads. */
#include "cgroup.h"
#include "fs.h"
#include "journal.h"
#include "uapi.h"

/* Idle task of CPU 0 and head of the list of all tasks. */
struct task_struct init_task = { .tasks = LIST_HEAD_INIT(init_task.tasks) };
spinlock_t tasklist_lock;
struct task_struct *init_process;
static struct kmem_cache task_struct_cachep;
static volatile int last_pid;

static struct pid_namespace init_pid_ns = { .ns = { .inum = 4026531836u } };
struct nsproxy init_nsproxy = { .count = { 1 }, .pid_ns_for_children = &init_pid_ns, .mnt_ns = &init_mnt_ns };
void cgroup_fork(struct task_struct *child);
void cgroup_free(struct task_struct *task);
void cgroup_exit(struct task_struct *tsk);
int copy_namespaces(u64 flags, struct task_struct *tsk);
void exit_task_namespaces(struct task_struct *tsk);
static struct pid init_struct_pid = { .count = { 1 }, .numbers = { { .ns = &init_pid_ns } } };
extern u8 boot_stacks[NR_CPUS][THREAD_SIZE];
static struct task_struct idle_tasks[NR_CPUS - 1];

extern struct sighand_struct init_sighand;
extern struct signal_struct init_signals;

void __set_task_comm(struct task_struct *task, const char *name);
void copy_thread(struct task_struct *p, const struct kernel_clone_args *args);

void fork_init(void)
{
	kmem_cache_create(&task_struct_cachep, "task_struct", sizeof(struct task_struct));
	cred_init();
	signals_init();
}

/* The boot thread of each CPU becomes its idle task, pid 0. */
struct task_struct *init_idle(int cpu)
{
	struct task_struct *idle = cpu ? &idle_tasks[cpu - 1] : &init_task;
	idle->stack = boot_stacks[cpu];
	idle->group_leader = idle->real_parent = idle->parent = idle;
	idle->cred = idle->real_cred = &init_cred;
	idle->nsproxy = &init_nsproxy;
	idle->cgroups = &init_css_set;
	INIT_LIST_HEAD(&idle->cg_list);
	idle->thread_pid = &init_struct_pid;
	idle->signal = &init_signals;
	idle->sighand = &init_sighand;
	INIT_LIST_HEAD(&idle->pending.list);
	idle->static_prio = idle->normal_prio = DEFAULT_PRIO;
	atomic_set(&idle->usage, 2);
	INIT_LIST_HEAD(&idle->children);
	INIT_LIST_HEAD(&idle->sibling);
	if (cpu)
		INIT_LIST_HEAD(&idle->tasks);
	INIT_LIST_HEAD(&idle->se.group_node);
	init_waitqueue_head(&idle->wait_chldexit);
	strscpy(idle->comm, "swapper/0", TASK_COMM_LEN);
	idle->comm[8] = (char)('0' + cpu);
	sched_init_cpu(cpu, idle);
	pcpu_area[cpu].current_task = idle;
	return idle;
}

struct pid *alloc_pid(void)
{
	struct pid *pid = kzalloc(sizeof(*pid), GFP_KERNEL);
	if (!pid)
		return NULL;
	atomic_set(&pid->count, 1);
	pid->numbers[0].nr = __atomic_add_fetch(&last_pid, 1, __ATOMIC_SEQ_CST);
	pid->numbers[0].ns = &init_pid_ns;
	return pid;
}

void put_pid(struct pid *pid)
{
	if (pid && atomic_dec_and_test(&pid->count))
		kfree(pid);
}

struct task_struct *dup_task_struct(struct task_struct *orig)
{
	struct task_struct *task = kmem_cache_alloc(&task_struct_cachep, GFP_KERNEL);
	struct page *stack;
	if (!task)
		return NULL;
	stack = alloc_pages(GFP_KERNEL, 2);
	if (!stack) {
		kmem_cache_free(&task_struct_cachep, task);
		return NULL;
	}
	*task = *orig;
	task->stack = page_address(stack);
	task->need_resched = 0;
	task->in_iowait = 0;
	task->thread_pid = NULL;
	task->cgroups = NULL;
	INIT_LIST_HEAD(&task->cg_list);
	task->real_cred = NULL;
	task->signal = NULL;
	task->sighand = NULL;
	INIT_LIST_HEAD(&task->pending.list);
	memset(&task->stats, 0, sizeof(task->stats));
	task->sigpending = 0;
	task->nvcsw = task->nivcsw = 0;
	task->min_flt = task->maj_flt = 0;
	task->utime = task->stime = 0;
	atomic_set(&task->usage, 2);
	task->pi_lock.locked = 0;
	INIT_LIST_HEAD(&task->children);
	INIT_LIST_HEAD(&task->sibling);
	INIT_LIST_HEAD(&task->tasks);
	init_waitqueue_head(&task->wait_chldexit);
	return task;
}

void put_task_struct(struct task_struct *task)
{
	if (!atomic_dec_and_test(&task->usage))
		return;
	trace(sched_process_free, task);
	cgroup_free(task);
	put_pid(task->thread_pid);
	if (task->real_cred)
		put_cred(task->real_cred);
	put_signals(task);
	__free_pages(virt_to_page(task->stack), 2);
	if (task->group_leader != task)
		put_task_struct(task->group_leader);
	kmem_cache_free(&task_struct_cachep, task);
}

int copy_files(u64 clone_flags, struct task_struct *p)
{
	struct files_struct *old = current->files;
	if (!old)
		return 0;
	if (clone_flags & CLONE_FILES) {
		atomic_inc(&old->count);
		return 0;
	}
	p->files = dup_fd(old);
	return p->files ? 0 : -ENOMEM;
}

int copy_mm(u64 clone_flags, struct task_struct *p)
{
	struct mm_struct *old = current->mm;
	p->mm = NULL;
	if (!old)
		return 0;
	if (clone_flags & CLONE_VM) {
		atomic_inc(&old->mm_users);
		p->mm = old;
		return 0;
	}
	p->mm = dup_mm(old);
	return p->mm ? 0 : -ENOMEM;
}

int copy_creds(struct task_struct *p)
{
	struct cred *cred = (struct cred *)p->cred;
	if (!cred)
		return -EINVAL;
	atomic_inc(&cred->usage);
	p->real_cred = cred;
	return 0;
}

void link_task(struct task_struct *p, u64 clone_flags)
{
	_raw_spin_lock(&tasklist_lock);
	if (clone_flags & CLONE_THREAD) {
		p->tgid = current->tgid;
		p->group_leader = current->group_leader;
		p->real_parent = p->parent = current->real_parent;
		atomic_inc(&p->group_leader->usage);
	} else {
		p->tgid = p->pid;
		p->group_leader = p;
		p->real_parent = p->parent = p->flags & PF_KTHREAD ? &init_task : current->group_leader;
		list_add_tail(&p->sibling, &p->real_parent->children);
	}
	list_add_tail(&p->tasks, &init_task.tasks);
	_raw_spin_unlock(&tasklist_lock);
}

struct task_struct *copy_process(struct kernel_clone_args *args)
{
	struct task_struct *p = dup_task_struct(current);
	int error;
	if (!p)
		return ERR_PTR(-ENOMEM);
	p->flags &= ~(u32)PF_IDLE;
	if (args->fn) {
		p->flags |= PF_KTHREAD;
		p->files = NULL;
		strscpy(p->comm, args->name, TASK_COMM_LEN);
	}
	p->exit_signal = args->exit_signal;
	p->exit_state = 0;
	p->clear_child_tid = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : NULL;
	p->start_time = p->start_boottime = rdtsc();
	sched_fork(p);
	error = copy_creds(p);
	if (!error && !args->fn)
		error = copy_files(args->flags, p);
	if (!error)
		error = copy_signals(args->flags, p);
	if (!error)
		error = copy_mm(args->flags, p);
	if (!error)
		error = copy_namespaces(args->flags, p);
	if (error)
		p->nsproxy = &init_nsproxy;
	else {
		p->thread_pid = alloc_pid();
		error = p->thread_pid ? 0 : -ENOMEM;
	}
	if (error) {
		exit_task_namespaces(p);
		if (p->files && p->files != current->files)
			exit_files(p);
		atomic_set(&p->usage, 1);
		p->group_leader = p;
		put_task_struct(p);
		return ERR_PTR(error);
	}
	copy_thread(p, args);
	p->pid = p->thread_pid->numbers[0].nr;
	cgroup_fork(p);
	link_task(p, args->flags);
	trace(task_newtask, p, args->flags);
	return p;
}

pid_t kernel_clone(struct kernel_clone_args *args)
{
	struct task_struct *p = copy_process(args);
	pid_t pid;
	if (IS_ERR(p))
		return (pid_t)PTR_ERR(p);
	pid = p->pid;
	if (args->flags & CLONE_PARENT_SETTID)
		_copy_to_user(args->parent_tid, &pid, sizeof(pid));
	journal(J_FORK, pid_tgid(current), pid_tgid(p), args->flags, 0);
	trace(sched_process_fork, current, p);
	wake_up_new_task(p);
	return pid;
}

struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *name)
{
	struct kernel_clone_args args = { .fn = fn, .fn_arg = data, .name = name, .flags = CLONE_FILES };
	pid_t pid = kernel_clone(&args);
	struct task_struct *task = pid < 0 ? NULL : find_task_by_pid(pid);
	if (task)
		__set_task_comm(task, name);
	return task;
}

struct task_struct *find_task_by_pid(pid_t pid)
{
	struct list_head *pos;
	struct task_struct *found = NULL;
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *task = list_entry(pos, struct task_struct, tasks);
		if (task->pid == pid) {
			found = task;
			break;
		}
	}
	_raw_spin_unlock(&tasklist_lock);
	return found;
}

long __x64_sys_fork(const struct pt_regs *regs)
{
	struct kernel_clone_args args = { .exit_signal = 17, .regs = (struct pt_regs *)regs };
	return kernel_clone(&args);
}

long __x64_sys_clone(const struct pt_regs *regs)
{
	struct kernel_clone_args args = {
		.flags = regs->di & ~0xffUL,
		.exit_signal = (int)(regs->di & 0xff),
		.stack = regs->si,
		.parent_tid = (int *)regs->dx,
		.child_tid = (int *)regs->r10,
		.regs = (struct pt_regs *)regs,
	};
	/* There is no FS base that a thread could have of its own. */
	if (((args.flags & CLONE_THREAD) && !(args.flags & CLONE_VM)) || (args.flags & CLONE_SETTLS))
		return -EINVAL;
	return kernel_clone(&args);
}
