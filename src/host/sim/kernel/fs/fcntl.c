/* fcntl. */
#include "fs.h"
#include "uapi.h"

/* What of a file's flags may change while it is open. */
#define SETFL_MASK (O_APPEND | O_NONBLOCK)

long pipe_fcntl(struct file *file, unsigned int cmd);

long setfl(struct file *file, unsigned long arg)
{
	file->f_flags = (unsigned int)((arg & SETFL_MASK) | (file->f_flags & ~(u32)SETFL_MASK));
	return 0;
}

long do_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg, struct file *file)
{
	switch (cmd) {
	case F_DUPFD:
		return f_dupfd((unsigned int)arg, file, 0);
	case F_DUPFD_CLOEXEC:
		return f_dupfd((unsigned int)arg, file, O_CLOEXEC);
	case F_GETFD:
		return get_close_on_exec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_close_on_exec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return (long)file->f_flags;
	case F_SETFL:
		return setfl(file, arg);
	case F_GETPIPE_SZ:
		return pipe_fcntl(file, cmd);
	default:
		return -EINVAL;
	}
}

long __x64_sys_fcntl(const struct pt_regs *regs)
{
	struct file *file = fget((unsigned int)regs->di);
	long ret;
	if (!file)
		return -EBADF;
	ret = do_fcntl((unsigned int)regs->di, (unsigned int)regs->si, regs->dx, file);
	fput(file);
	return ret;
}
