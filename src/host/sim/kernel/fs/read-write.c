/* read, write, lseek, fsync, fadvise: from a descriptor to the file's operations. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define MAX_RW_COUNT 0x7ffff000UL

ssize_t new_sync_read(struct file *file, struct iov_iter *iter, loff_t *pos)
{
	struct kiocb iocb = { .ki_filp = file, .ki_pos = *pos };
	ssize_t ret = file->f_op->read_iter(&iocb, iter);
	if (ret >= 0)
		*pos = iocb.ki_pos;
	return ret;
}

ssize_t new_sync_write(struct file *file, struct iov_iter *iter, loff_t *pos)
{
	struct kiocb iocb = { .ki_filp = file, .ki_pos = *pos };
	ssize_t ret = file->f_op->write_iter(&iocb, iter);
	if (ret >= 0)
		*pos = iocb.ki_pos;
	return ret;
}

int rw_verify_area(struct file *file, unsigned int mode, const char *buf, size_t count)
{
	if (!(file->f_mode & mode))
		return -EBADF;
	if ((ssize_t)count < 0)
		return -EINVAL;
	return access_ok(buf, count) ? 0 : -EFAULT;
}

ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)
{
	struct iov_iter iter = { .buf = buf, .count = min(count, MAX_RW_COUNT), .to_user = true };
	int error = rw_verify_area(file, FMODE_READ, buf, count);
	if (error)
		return error;
	if (!file->f_op->read_iter)
		return file->f_inode && S_ISDIR(file->f_inode->i_mode) ? -EISDIR : -EINVAL;
	return new_sync_read(file, &iter, pos);
}

ssize_t vfs_write(struct file *file, const char *buf, size_t count, loff_t *pos)
{
	struct iov_iter iter = { .buf = (char *)buf, .count = min(count, MAX_RW_COUNT) };
	int error = rw_verify_area(file, FMODE_WRITE, buf, count);
	if (error)
		return error;
	if (!file->f_op->write_iter)
		return -EINVAL;
	return new_sync_write(file, &iter, pos);
}

ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos)
{
	struct iov_iter iter = { .buf = buf, .count = count, .to_user = true, .kernel = true };
	if (!file->f_op->read_iter)
		return -EINVAL;
	return new_sync_read(file, &iter, pos);
}

ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos)
{
	struct iov_iter iter = { .buf = (char *)buf, .count = count, .kernel = true };
	if (!file->f_op->write_iter)
		return -EINVAL;
	return new_sync_write(file, &iter, pos);
}

ssize_t ksys_read(unsigned int fd, char *buf, size_t count)
{
	struct file *file = fget(fd);
	ssize_t ret;
	if (!file)
		return -EBADF;
	ret = vfs_read(file, buf, count, &file->f_pos);
	journal(J_READ, pid_tgid(current), file->f_inode ? file->f_inode->i_ino : 0, count, (u64)ret);
	fput(file);
	return ret;
}

ssize_t ksys_write(unsigned int fd, const char *buf, size_t count)
{
	struct file *file = fget(fd);
	ssize_t ret;
	if (!file)
		return -EBADF;
	ret = vfs_write(file, buf, count, &file->f_pos);
	journal(J_WRITE, pid_tgid(current), file->f_inode ? file->f_inode->i_ino : 0, count, (u64)ret);
	fput(file);
	return ret;
}

loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
	if (!(file->f_mode & FMODE_LSEEK))
		return -ESPIPE;
	if (whence == SEEK_CUR)
		offset += file->f_pos;
	else if (whence == SEEK_END)
		offset += file->f_inode->i_size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

int vfs_fsync_range(struct file *file, loff_t start, loff_t end)
{
	if (!file->f_op || !file->f_op->fsync)
		return -EINVAL;
	return file->f_op->fsync(file, start, end);
}

int vfs_fsync(struct file *file, int datasync)
{
	(void)datasync;
	return vfs_fsync_range(file, 0, 0x7fffffffffffffffL);
}

int do_fsync(unsigned int fd)
{
	struct file *file = fget(fd);
	int ret;
	if (!file)
		return -EBADF;
	ret = vfs_fsync(file, 0);
	fput(file);
	return ret;
}

int generic_fadvise(struct file *file, int advice)
{
	if (!file->f_inode || S_ISFIFO(file->f_inode->i_mode))
		return -ESPIPE;
	if (advice == POSIX_FADV_DONTNEED)
		invalidate_mapping_pages(file->f_mapping);
	return 0;
}

long __x64_sys_read(const struct pt_regs *regs)
{
	return ksys_read((unsigned int)regs->di, (char *)regs->si, regs->dx);
}

long __x64_sys_write(const struct pt_regs *regs)
{
	return ksys_write((unsigned int)regs->di, (const char *)regs->si, regs->dx);
}

long __x64_sys_lseek(const struct pt_regs *regs)
{
	struct file *file = fget((unsigned int)regs->di);
	loff_t ret;
	if (!file)
		return -EBADF;
	ret = vfs_llseek(file, (loff_t)regs->si, (int)regs->dx);
	fput(file);
	return ret;
}

long __x64_sys_fsync(const struct pt_regs *regs) { return do_fsync((unsigned int)regs->di); }

long __x64_sys_fadvise64(const struct pt_regs *regs)
{
	struct file *file = fget((unsigned int)regs->di);
	int ret;
	if (!file)
		return -EBADF;
	ret = generic_fadvise(file, (int)regs->r10);
	fput(file);
	return ret;
}
