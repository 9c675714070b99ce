/* The way of a system call, and the small ones that belong to no other file. */
#include "fs.h"
#include "irq.h"
#include "journal.h"
#include "uapi.h"

typedef long (*sys_call_ptr_t)(const struct pt_regs *);

#define SYSCALL(name) long __x64_sys_##name(const struct pt_regs *regs);
#include "syscalls.def"
#undef SYSCALL

#define SYSCALL(name) [__NR_##name] = __x64_sys_##name,
const sys_call_ptr_t sys_call_table[NR_syscalls] = {
#include "syscalls.def"
};
#undef SYSCALL

void exit_to_user_mode_prepare(struct pt_regs *regs);

long syscall_trace_enter(struct pt_regs *regs, long nr)
{
	journal(J_SYSCALL_ENTER, pid_tgid(current), (u64)nr, regs->di, regs->si);
	trace(sys_enter, regs, nr);
	return nr;
}

void syscall_exit_work(struct pt_regs *regs)
{
	journal(J_SYSCALL_EXIT, pid_tgid(current), regs->orig_ax, regs->ax, 0);
	trace(sys_exit, regs, (long)regs->ax);
}

void syscall_exit_to_user_mode(struct pt_regs *regs)
{
	if ((long)regs->orig_ax >= 0)
		syscall_exit_work(regs);
	local_irq_disable();
	exit_to_user_mode_prepare(regs);
}

bool do_syscall_x64(struct pt_regs *regs, long nr)
{
	if ((u64)nr >= NR_syscalls || !sys_call_table[nr])
		return false;
	regs->ax = (u64)sys_call_table[nr](regs);
	return true;
}

/* True: the program goes on right behind its system call, with the registers that sysret leaves it. */
bool do_syscall_64(struct pt_regs *regs, long nr)
{
	local_irq_enable();
	nr = syscall_trace_enter(regs, nr);
	if (!do_syscall_x64(regs, nr))
		regs->ax = (u64)-ENOSYS;
	syscall_exit_work(regs);
	local_irq_disable();
	exit_to_user_mode_prepare(regs);
	return (long)regs->orig_ax >= 0;
}

long __x64_sys_getpid(const struct pt_regs *regs)
{
	(void)regs;
	return current->tgid;
}

long __x64_sys_gettid(const struct pt_regs *regs)
{
	(void)regs;
	return current->pid;
}

long __x64_sys_getppid(const struct pt_regs *regs)
{
	long pid;
	(void)regs;
	_raw_spin_lock(&tasklist_lock);
	pid = current->real_parent->tgid;
	_raw_spin_unlock(&tasklist_lock);
	return pid;
}

long do_sched_yield(void)
{
	WRITE_ONCE(current->need_resched, 0);
	schedule();
	return 0;
}

long __x64_sys_sched_yield(const struct pt_regs *regs)
{
	(void)regs;
	return do_sched_yield();
}

long __x64_sys_nanosleep(const struct pt_regs *regs)
{
	struct timespec64 ts;
	if (_copy_from_user(&ts, (void *)regs->di, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	return hrtimer_nanosleep(ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
}

extern u64 boot_realtime_ns;
long __x64_sys_clock_gettime(const struct pt_regs *regs)
{
	struct timespec64 ts;
	u64 now = rdtsc();
	if (regs->di != CLOCK_MONOTONIC)
		now += boot_realtime_ns;
	ts.tv_sec = (long)(now / NSEC_PER_SEC);
	ts.tv_nsec = (long)(now % NSEC_PER_SEC);
	return _copy_to_user((void *)regs->si, &ts, sizeof(ts)) ? -EFAULT : 0;
}
