/* execve: a task gets a new program. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define MAX_ARGS 32

void switch_mm(struct mm_struct *next);

void free_bprm(struct linux_binprm *bprm)
{
	if (bprm->file)
		fput(bprm->file);
	if (bprm->mm)
		mmput(bprm->mm);
	free_page((unsigned long)bprm->arg_page);
	kfree(bprm);
}

struct linux_binprm *alloc_bprm(const char *filename)
{
	struct linux_binprm *bprm = kzalloc(sizeof(*bprm), GFP_KERNEL);
	if (!bprm)
		return NULL;
	bprm->filename = bprm->interp = filename;
	bprm->arg_page = (char *)get_zeroed_page(GFP_KERNEL);
	bprm->mm = mm_alloc();
	if (bprm->arg_page && bprm->mm)
		return bprm;
	free_bprm(bprm);
	return NULL;
}

/* Appends one string to the page of arguments; `user` says on which side its bytes are. */
int copy_string(struct linux_binprm *bprm, const char *arg, bool user)
{
	char *to = bprm->arg_page + bprm->arg_len;
	long room = (long)(PAGE_SIZE / 2 - bprm->arg_len), len;
	if (room <= 1)
		return -E2BIG;
	if (user)
		len = strncpy_from_user(to, arg, room);
	else
		len = (long)strscpy(to, arg, (size_t)room);
	if (len < 0)
		return (int)len;
	if (len >= room)
		return -E2BIG;
	bprm->arg_len += (unsigned long)len + 1;
	return 0;
}

/* The number of strings, or a negative errno. */
int copy_strings(struct linux_binprm *bprm, const char *const *argv, bool user)
{
	int i, error;
	for (i = 0; argv && i < MAX_ARGS; i++) {
		const char *arg;
		if (!user)
			arg = argv[i];
		else if (_copy_from_user(&arg, &argv[i], sizeof(arg)))
			return -EFAULT;
		if (!arg)
			break;
		error = copy_string(bprm, arg, user);
		if (error)
			return error;
	}
	return i;
}

/* Arguments, environment and the name of the program, in the order in which they will lie on its stack. */
int copy_arguments(struct linux_binprm *bprm, const char *const *argv, const char *const *envp, bool user)
{
	bprm->argc = copy_strings(bprm, argv, user);
	if (bprm->argc < 0)
		return bprm->argc;
	bprm->envc = copy_strings(bprm, envp, user);
	if (bprm->envc < 0)
		return bprm->envc;
	return copy_string(bprm, bprm->filename, false);
}

/* The point of no return: the task takes the new address space and drops the old one. */
int exec_mmap(struct linux_binprm *bprm)
{
	struct mm_struct *old = current->mm;
	if (old) {
		mm_release(current);
		if (mmap_read_lock_killable(old))
			return -EINTR;
	}
	_raw_spin_lock(&tasklist_lock);
	current->mm = bprm->mm;
	switch_mm(bprm->mm);
	_raw_spin_unlock(&tasklist_lock);
	atomic_inc(&bprm->mm->mm_users);
	if (old) {
		mmap_read_unlock(old);
		mmput(old);
	}
	return 0;
}

void __set_task_comm(struct task_struct *task, const char *name)
{
	char comm[TASK_COMM_LEN];
	memset(comm, 0, sizeof(comm));
	strscpy(comm, name, TASK_COMM_LEN);
	journal(J_RENAME, pid_tgid(task), (u64)comm, 0, 0);
	trace(task_rename, task, comm);
	memcpy(task->comm, comm, TASK_COMM_LEN);
}

/* The last part of a path. */
const char *kbasename(const char *path)
{
	const char *base = path;
	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

int begin_new_exec(struct linux_binprm *bprm)
{
	struct task_struct *me = current;
	int error;
	if (me->group_leader != me)
		return -EINVAL;
	error = exec_mmap(bprm);
	if (error)
		return error;
	me->flags &= ~(u32)PF_KTHREAD;
	do_close_on_exec(me->files);
	flush_signal_handlers(me);
	__set_task_comm(me, kbasename(bprm->filename));
	bprm->mm->exe_file = bprm->file;
	atomic_inc(&bprm->file->f_count);
	return 0;
}

int search_binary_handler(struct linux_binprm *bprm)
{
	loff_t pos = 0;
	ssize_t n = kernel_read(bprm->file, bprm->buf, sizeof(bprm->buf), &pos);
	if (n < 0)
		return (int)n;
	return load_elf_binary(bprm);
}

int exec_binprm(struct linux_binprm *bprm)
{
	pid_t old_pid = current->pid;
	int error = search_binary_handler(bprm);
	if (error)
		return error;
	journal(J_EXEC, pid_tgid(current), (u64)bprm->filename, 0, 0);
	trace(sched_process_exec, current, old_pid, bprm);
	return 0;
}

int bprm_execve(struct linux_binprm *bprm)
{
	struct mutex *guard = &current->signal->cred_guard_mutex;
	struct file *file;
	int error;
	if (mutex_lock_interruptible(guard))
		return -ERESTARTNOINTR;
	file = filp_open(bprm->filename, O_RDONLY, 0);
	bprm->file = IS_ERR(file) ? NULL : file;
	error = IS_ERR(file) ? (int)PTR_ERR(file) : exec_binprm(bprm);
	mutex_unlock(guard);
	return error;
}

int do_execveat_common(struct filename *name, const char *const *argv, const char *const *envp,
			bool user)
{
	struct linux_binprm *bprm;
	bool too_late = false;
	int error;
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	bprm = alloc_bprm(name->name);
	error = bprm ? copy_arguments(bprm, argv, envp, user) : -ENOMEM;
	if (!error)
		error = bprm_execve(bprm);
	if (bprm) {
		too_late = bprm->point_of_no_return;
		free_bprm(bprm);
	}
	putname(name);
	if (too_late)
		do_exit(SIGSEGV);
	return error;
}

int kernel_execve(const char *path, const char *const *argv, const char *const *envp)
{
	return do_execveat_common(getname_kernel(path), argv, envp, false);
}

long __x64_sys_execve(const struct pt_regs *regs)
{
	return do_execveat_common(getname_flags((const char *)regs->di, 0), (const char *const *)regs->si,
				  (const char *const *)regs->dx, true);
}

/* Threads name themselves; nothing else is asked of it here. */
long __x64_sys_prctl(const struct pt_regs *regs)
{
	char name[TASK_COMM_LEN];
	long length;
	if (regs->di != PR_SET_NAME)
		return -EINVAL;
	length = strncpy_from_user(name, (const char *)regs->si, sizeof(name) - 1);
	if (length < 0)
		return length;
	name[length] = 0;
	__set_task_comm(current, name);
	return 0;
}
