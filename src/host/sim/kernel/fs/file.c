/* Descriptors: the table of a process, and what duplicates one. */
#include "fs.h"
#include "uapi.h"

static struct kmem_cache files_cachep;

struct file *fget(unsigned int fd)
{
	struct files_struct *files = current->files;
	struct file *file;
	if (unlikely(fd >= NR_OPEN))
		return NULL;
	_raw_spin_lock(&files->file_lock);
	file = files->fd_array[fd];
	if (file)
		atomic_inc(&file->f_count);
	_raw_spin_unlock(&files->file_lock);
	return file;
}

/* The lock is held. */
void __set_close_on_exec(struct files_struct *files, unsigned int fd, bool flag)
{
	if (flag)
		files->close_on_exec |= 1u << fd;
	else
		files->close_on_exec &= ~(1u << fd);
}

/* The lowest free descriptor from `start` on; it has no file yet. */
int alloc_fd(unsigned int start, unsigned int flags)
{
	struct files_struct *files = current->files;
	unsigned int fd;
	_raw_spin_lock(&files->file_lock);
	for (fd = start; fd < NR_OPEN; fd++)
		if (!files->fd_array[fd] && !(files->next_fd & 1u << fd))
			break;
	if (fd < NR_OPEN) {
		files->next_fd |= 1u << fd;
		__set_close_on_exec(files, fd, (flags & O_CLOEXEC) != 0);
	}
	_raw_spin_unlock(&files->file_lock);
	return fd < NR_OPEN ? (int)fd : -EMFILE;
}

int get_unused_fd_flags(unsigned int flags) { return alloc_fd(0, flags); }

void put_unused_fd(unsigned int fd)
{
	struct files_struct *files = current->files;
	_raw_spin_lock(&files->file_lock);
	files->next_fd &= ~(1u << fd);
	_raw_spin_unlock(&files->file_lock);
}

void fd_install(unsigned int fd, struct file *file)
{
	struct files_struct *files = current->files;
	_raw_spin_lock(&files->file_lock);
	if (fd < NR_OPEN) {
		files->fd_array[fd] = file;
		files->next_fd &= ~(1u << fd);
	}
	_raw_spin_unlock(&files->file_lock);
}

struct file *pick_file(struct files_struct *files, unsigned int fd)
{
	struct file *file = NULL;
	_raw_spin_lock(&files->file_lock);
	if (fd < NR_OPEN) {
		file = files->fd_array[fd];
		files->fd_array[fd] = NULL;
	}
	_raw_spin_unlock(&files->file_lock);
	return file;
}

int close_fd(unsigned int fd)
{
	struct file *file = pick_file(current->files, fd);
	if (!file)
		return -EBADF;
	return filp_close(file);
}

void set_close_on_exec(unsigned int fd, bool flag)
{
	struct files_struct *files = current->files;
	_raw_spin_lock(&files->file_lock);
	__set_close_on_exec(files, fd, flag);
	_raw_spin_unlock(&files->file_lock);
}

bool get_close_on_exec(unsigned int fd) { return current->files->close_on_exec >> fd & 1; }

/* The new program does not get them. */
void do_close_on_exec(struct files_struct *files)
{
	unsigned int fd;
	for (fd = 0; files && fd < NR_OPEN; fd++)
		if (files->close_on_exec >> fd & 1)
			close_fd(fd);
}

/* Makes `fd` stand for `file`, whose reference it takes; what it stood for is closed. */
int do_dup2(struct file *file, unsigned int fd, unsigned int flags)
{
	struct files_struct *files = current->files;
	struct file *old;
	_raw_spin_lock(&files->file_lock);
	old = files->fd_array[fd];
	if (!old && (files->next_fd & 1u << fd)) {
		_raw_spin_unlock(&files->file_lock);
		fput(file);
		return -EBUSY;
	}
	files->fd_array[fd] = file;
	__set_close_on_exec(files, fd, (flags & O_CLOEXEC) != 0);
	_raw_spin_unlock(&files->file_lock);
	if (old)
		filp_close(old);
	return (int)fd;
}

int ksys_dup3(unsigned int oldfd, unsigned int newfd, int flags)
{
	struct file *file;
	if ((flags & ~O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	if (newfd >= NR_OPEN)
		return -EBADF;
	file = fget(oldfd);
	return file ? do_dup2(file, newfd, (unsigned int)flags) : -EBADF;
}

/* Another descriptor of the file, the lowest that is free from `from` on. */
int f_dupfd(unsigned int from, struct file *file, unsigned int flags)
{
	int fd;
	if (from >= NR_OPEN)
		return -EINVAL;
	fd = alloc_fd(from, flags);
	if (fd < 0)
		return fd;
	atomic_inc(&file->f_count);
	fd_install((unsigned int)fd, file);
	return fd;
}

/* A copy of the descriptor table; of none, an empty one. */
struct files_struct *dup_fd(struct files_struct *old)
{
	struct files_struct *files;
	unsigned int fd;
	if (!files_cachep.size)
		kmem_cache_create(&files_cachep, "files_cache", sizeof(struct files_struct));
	files = kmem_cache_alloc(&files_cachep, GFP_KERNEL);
	if (!files)
		return NULL;
	memset(files, 0, sizeof(*files));
	atomic_set(&files->count, 1);
	if (!old)
		return files;
	_raw_spin_lock(&old->file_lock);
	files->close_on_exec = old->close_on_exec;
	for (fd = 0; fd < NR_OPEN; fd++) {
		files->fd_array[fd] = old->fd_array[fd];
		if (files->fd_array[fd])
			atomic_inc(&files->fd_array[fd]->f_count);
	}
	_raw_spin_unlock(&old->file_lock);
	return files;
}

void exit_files(struct task_struct *task)
{
	struct files_struct *files = task->files;
	unsigned int fd;
	task->files = NULL;
	if (!files || !atomic_dec_and_test(&files->count))
		return;
	for (fd = 0; fd < NR_OPEN; fd++) {
		struct file *file = pick_file(files, fd);
		if (file)
			filp_close(file);
	}
	kmem_cache_free(&files_cachep, files);
}

long __x64_sys_dup3(const struct pt_regs *regs)
{
	return ksys_dup3((unsigned int)regs->di, (unsigned int)regs->si, (int)regs->dx);
}

long __x64_sys_dup2(const struct pt_regs *regs)
{
	struct file *file;
	if (regs->di != regs->si)
		return ksys_dup3((unsigned int)regs->di, (unsigned int)regs->si, 0);
	file = fget((unsigned int)regs->di);
	if (!file)
		return -EBADF;
	fput(file);
	return (long)regs->di;
}

long __x64_sys_dup(const struct pt_regs *regs)
{
	struct file *file = fget((unsigned int)regs->di);
	int fd;
	if (!file)
		return -EBADF;
	fd = f_dupfd(0, file, 0);
	fput(file);
	return fd;
}
