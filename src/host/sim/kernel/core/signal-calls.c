/* System calls about signals. */
#include "fs.h"
#include "journal.h"

int send_signal_locked(int sig, struct kernel_siginfo *info, struct task_struct *p, bool group);
void fill_info(struct kernel_siginfo *info, int sig, int code);

bool valid_signal(long sig) { return sig >= 0 && sig <= _NSIG; }

/* pid -1: every process but init and the caller's; else the process. */
bool kill_names(pid_t pid, const struct task_struct *p)
{
	if (p->group_leader != p || (p->flags & PF_KTHREAD))
		return false;
	return pid == -1 ? p->pid > 1 && p != current->group_leader : p->pid == pid;
}

/* Signal 0 asks only whether one might. */
int group_send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *p, bool group)
{
	int error = check_kill_permission(p);
	if (!error && sig)
		error = send_signal_locked(sig, info, p, group);
	return error;
}

int kill_something_info(int sig, struct kernel_siginfo *info, pid_t pid)
{
	struct list_head *pos;
	int error = -ESRCH;
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *p = list_entry(pos, struct task_struct, tasks);
		if (kill_names(pid, p))
			error = group_send_sig_info(sig, info, p, true);
	}
	_raw_spin_unlock(&tasklist_lock);
	return error;
}

long __x64_sys_kill(const struct pt_regs *regs)
{
	struct kernel_siginfo info;
	pid_t pid = (pid_t)regs->di;
	if (!valid_signal((long)regs->si))
		return -EINVAL;
	fill_info(&info, (int)regs->si, SI_USER);
	return kill_something_info((int)regs->si, &info, pid);
}

/* tgid 0: whatever process the thread belongs to. */
int do_send_specific(pid_t tgid, pid_t pid, int sig)
{
	struct kernel_siginfo info;
	struct list_head *pos;
	int error = -ESRCH;
	fill_info(&info, sig, SI_TKILL);
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *p = list_entry(pos, struct task_struct, tasks);
		if (p->pid == pid && (!tgid || p->tgid == tgid))
			error = group_send_sig_info(sig, &info, p, false);
	}
	_raw_spin_unlock(&tasklist_lock);
	return error;
}

long __x64_sys_tgkill(const struct pt_regs *regs)
{
	if (!valid_signal((long)regs->dx) || (int)regs->di <= 0 || (int)regs->si <= 0)
		return -EINVAL;
	return do_send_specific((pid_t)regs->di, (pid_t)regs->si, (int)regs->dx);
}

long __x64_sys_tkill(const struct pt_regs *regs)
{
	if (!valid_signal((long)regs->si) || (int)regs->di <= 0)
		return -EINVAL;
	return do_send_specific(0, (pid_t)regs->di, (int)regs->si);
}

int do_sigaction(int sig, const struct k_sigaction *act, struct k_sigaction *oact)
{
	u64 flags;
	if (sig < 1 || sig > _NSIG || (act && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	flags = _raw_spin_lock_irqsave(&current->sighand->siglock);
	*oact = current->sighand->action[sig - 1];
	if (act)
		current->sighand->action[sig - 1] = *act;
	_raw_spin_unlock_irqrestore(&current->sighand->siglock, flags);
	return 0;
}

long __x64_sys_rt_sigaction(const struct pt_regs *regs)
{
	struct k_sigaction new, old;
	int error;
	if (regs->r10 != sizeof(sigset_t))
		return -EINVAL;
	if (regs->si && _copy_from_user(&new, (void *)regs->si, sizeof(new)))
		return -EFAULT;
	new.sa.sa_mask.sig[0] &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	error = do_sigaction((int)regs->di, regs->si ? &new : NULL, &old);
	if (!error && regs->dx && _copy_to_user((void *)regs->dx, &old, sizeof(old)))
		return -EFAULT;
	return error;
}

void set_current_blocked(sigset_t set)
{
	u64 flags = _raw_spin_lock_irqsave(&current->sighand->siglock);
	current->blocked.sig[0] = set.sig[0] & ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	recalc_sigpending();
	_raw_spin_unlock_irqrestore(&current->sighand->siglock, flags);
}

/* Blocks other signals for the time of one call. */
void set_user_sigmask(sigset_t set)
{
	current->saved_sigmask = current->blocked;
	current->restore_sigmask = true;
	set_current_blocked(set);
}

/* A call that a signal broke off leaves the mask as it is until the handler has its frame. */
void restore_saved_sigmask_unless(bool interrupted)
{
	if (interrupted || !current->restore_sigmask)
		return;
	current->restore_sigmask = false;
	set_current_blocked(current->saved_sigmask);
}

/* What is blocked when the handler returns. */
sigset_t sigmask_to_save(void) { return current->restore_sigmask ? current->saved_sigmask : current->blocked; }

int sigprocmask(int how, sigset_t set)
{
	sigset_t mask = current->blocked;
	if (how == SIG_BLOCK)
		mask.sig[0] |= set.sig[0];
	else if (how == SIG_UNBLOCK)
		mask.sig[0] &= ~set.sig[0];
	else if (how == SIG_SETMASK)
		mask = set;
	else
		return -EINVAL;
	set_current_blocked(mask);
	return 0;
}

long __x64_sys_rt_sigprocmask(const struct pt_regs *regs)
{
	sigset_t set, old = current->blocked;
	int error = 0;
	if (regs->r10 != sizeof(sigset_t))
		return -EINVAL;
	if (regs->si && _copy_from_user(&set, (void *)regs->si, sizeof(set)))
		return -EFAULT;
	if (regs->si)
		error = sigprocmask((int)regs->di, set);
	if (!error && regs->dx && _copy_to_user((void *)regs->dx, &old, sizeof(old)))
		return -EFAULT;
	return error;
}

long __x64_sys_pause(const struct pt_regs *regs)
{
	(void)regs;
	while (!signal_pending(current)) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending(current))
			break;
		schedule();
	}
	WRITE_ONCE(current->__state, TASK_RUNNING);
	return -ERESTARTNOHAND;
}
