/* Tasks die, and are waited for. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

void cgroup_exit(struct task_struct *tsk);
void exit_task_namespaces(struct task_struct *tsk);

void exit_mm(void)
{
	struct mm_struct *mm = current->mm;
	if (!mm)
		return;
	mm_release(current);
	/* Whoever looks at other tasks' memory does so under this lock. */
	_raw_spin_lock(&tasklist_lock);
	current->mm = NULL;
	write_cr3(loader_pgd);
	_raw_spin_unlock(&tasklist_lock);
	mmput(mm);
}

/* Orphans go to init, which reaps them. */
void forget_original_parent(struct task_struct *father)
{
	while (!list_empty(&father->children)) {
		struct task_struct *child = list_first_entry(&father->children, struct task_struct, sibling);
		list_del_init(&child->sibling);
		child->real_parent = child->parent = init_process;
		list_add_tail(&child->sibling, &init_process->children);
	}
}

/* The task leaves every list; its structure lives until the last reference goes. */
void release_task(struct task_struct *p)
{
	list_del_init(&p->sibling);
	list_del_init(&p->tasks);
	p->exit_state = EXIT_DEAD;
}

void exit_notify(struct task_struct *tsk)
{
	struct task_struct *parent;
	bool autoreap;
	_raw_spin_lock(&tasklist_lock);
	forget_original_parent(tsk);
	parent = tsk->real_parent;
	autoreap = tsk != tsk->group_leader || (tsk->flags & PF_KTHREAD);
	if (autoreap)
		release_task(tsk);
	else
		tsk->exit_state = EXIT_ZOMBIE;
	if (!autoreap)
		do_notify_parent(tsk, tsk->exit_signal);
	wake_up_all(&parent->wait_chldexit);
	if (parent != init_process)
		wake_up_all(&init_process->wait_chldexit);
	_raw_spin_unlock(&tasklist_lock);
	if (autoreap)
		put_task_struct(tsk);
}

void __noreturn do_exit(long code)
{
	struct task_struct *tsk = current;
	tsk->flags |= PF_EXITING;
	tsk->exit_code = (int)code;
	journal(J_EXIT, pid_tgid(tsk), (u64)code, 0, 0);
	trace(sched_process_exit, tsk);
	if (tsk == init_process) {
		hypercall(HC_IDLE_ALL, (u64)code, 0, 0, 0, 0);
		for (;;) {
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule();
		}
	}
	exit_mm();
	exit_files(tsk);
	exit_task_namespaces(tsk);
	cgroup_exit(tsk);
	preempt_disable();
	exit_notify(tsk);
	preempt_enable_no_resched();
	do_task_dead();
}

/* A child that may be waited for: 1 with *pid set if it was reaped, 0 if it lives. */
int wait_consider_task(struct task_struct *p, pid_t pid, int *status, struct task_struct **reaped)
{
	if (pid > 0 && p->pid != pid)
		return 0;
	if (p->exit_state != EXIT_ZOMBIE)
		return 0;
	*status = p->exit_code;
	release_task(p);
	*reaped = p;
	return 1;
}

/* One look at all children: the dead one, ECHILD, or NULL if it is worth waiting. */
struct task_struct *do_wait_thread(pid_t pid, int *status)
{
	struct task_struct *reaped = NULL;
	struct list_head *pos;
	int eligible = 0;
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &current->group_leader->children) {
		struct task_struct *p = list_entry(pos, struct task_struct, sibling);
		eligible += pid <= 0 || p->pid == pid;
		if (wait_consider_task(p, pid, status, &reaped))
			break;
	}
	_raw_spin_unlock(&tasklist_lock);
	if (!reaped && !eligible)
		return ERR_PTR(-ECHILD);
	return reaped;
}

/* The struct pid of a child that may be waited for; it lives as long as the child is not reaped. */
struct pid *find_get_pid(pid_t nr)
{
	struct task_struct *task = find_task_by_pid(nr);
	return task && task->real_parent == current->group_leader ? task->thread_pid : NULL;
}

long do_wait(pid_t pid, int *status, int options)
{
	struct task_struct *found = NULL;
	pid_t result;
	long error;
	trace(sched_process_wait, pid > 0 ? find_get_pid(pid) : NULL);
	error = wait_event_interruptible(&current->group_leader->wait_chldexit,
					      (found = do_wait_thread(pid, status)) || (options & WNOHANG));
	if (error)
		return error;
	if (!found)
		return 0;
	if (IS_ERR(found))
		return PTR_ERR(found);
	result = found->pid;
	journal(J_REAP, pid_tgid(current), (u64)(u32)result, (u64)*status, 0);
	put_task_struct(found);
	return result;
}

long kernel_wait4(pid_t pid, int *status, int options) { return do_wait(pid, status, options); }

long __x64_sys_wait4(const struct pt_regs *regs)
{
	int status = 0;
	long pid = kernel_wait4((pid_t)regs->di, &status, (int)regs->dx);
	if (pid > 0 && regs->si && _copy_to_user((void *)regs->si, &status, sizeof(status)))
		return -EFAULT;
	return pid;
}

long __x64_sys_exit(const struct pt_regs *regs) { do_exit((long)(regs->di & 0xff) << 8); }
long __x64_sys_exit_group(const struct pt_regs *regs) { do_group_exit((int)(regs->di & 0xff) << 8); }
