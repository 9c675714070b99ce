/* Directories as files: their names, piece by piece. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define NAME_OFFSET offsetof(struct linux_dirent64, d_name)
#define DIRENT_MAX 64

struct getdents_callback64 {
	struct dir_context ctx;
	char *current_dir;
	int count;
	int entries;
	int error;
};

/* False when there is no room for this one. */
bool filldir64(struct dir_context *ctx, const char *name, int len, loff_t next, u64 ino, unsigned int type)
{
	struct getdents_callback64 *buf = container_of(ctx, struct getdents_callback64, ctx);
	int reclen = ((int)NAME_OFFSET + len + 1 + 7) & ~7;
	union {
		struct linux_dirent64 entry;
		char bytes[DIRENT_MAX + NAME_OFFSET];
	} dirent;
	buf->error = -EINVAL;
	if (reclen > buf->count)
		return false;
	memset(&dirent, 0, sizeof(dirent));
	dirent.entry.d_ino = ino;
	dirent.entry.d_off = next;
	dirent.entry.d_reclen = (unsigned short)reclen;
	dirent.entry.d_type = (unsigned char)type;
	memcpy(dirent.bytes + NAME_OFFSET, name, (size_t)len);
	buf->error = -EFAULT;
	if (_copy_to_user(buf->current_dir, &dirent, (unsigned long)reclen))
		return false;
	buf->error = 0;
	buf->current_dir += reclen;
	buf->count -= reclen;
	buf->entries++;
	return true;
}

int iterate_dir(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file->f_inode;
	int error;
	if (!file->f_op || !file->f_op->iterate_shared)
		return -ENOTDIR;
	if (down_read_killable(&inode->i_rwsem))
		return -EINTR;
	ctx->pos = file->f_pos;
	error = inode->i_nlink ? file->f_op->iterate_shared(file, ctx) : -ENOENT;
	file->f_pos = ctx->pos;
	inode_unlock_shared(inode);
	return error;
}

long ksys_getdents64(unsigned int fd, char *dirent, unsigned int count)
{
	struct file *file = fget(fd);
	struct getdents_callback64 buf = { .ctx.actor = filldir64, .current_dir = dirent, .count = (int)count };
	long error;
	if (!file)
		return -EBADF;
	error = iterate_dir(file, &buf.ctx);
	if (!error && buf.entries)
		error = (long)count - buf.count;
	else if (!error)
		error = buf.error;
	journal(J_GETDENTS, pid_tgid(current), file->f_inode ? file->f_inode->i_ino : 0, (u64)buf.entries, (u64)error);
	fput(file);
	return error;
}

long __x64_sys_getdents64(const struct pt_regs *regs)
{
	if ((int)regs->dx < 0)
		return -EINVAL;
	return ksys_getdents64((unsigned int)regs->di, (char *)regs->si, (unsigned int)regs->dx);
}
