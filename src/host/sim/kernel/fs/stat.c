/* stat and fstat. */
#include "fs.h"
#include "uapi.h"

struct user_namespace;
#define STATX_BASIC_STATS 0x7ffu

void generic_fillattr(struct inode *inode, struct stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->st_dev = inode->i_sb->s_dev;
	stat->st_ino = inode->i_ino;
	stat->st_nlink = inode->i_nlink;
	stat->st_mode = inode->i_mode;
	stat->st_rdev = inode->i_rdev;
	stat->st_size = inode->i_size;
	stat->st_blksize = (long)PAGE_SIZE;
	stat->st_blocks = (long)(inode->i_blocks * 8);
}

/* A file's own, as the file system tells it. */
int ext4_file_getattr(struct user_namespace *mnt_userns, const struct path *path, struct stat *stat, u32 request_mask,
		      unsigned int query_flags)
{
	(void)mnt_userns;
	(void)request_mask;
	(void)query_flags;
	generic_fillattr(path->dentry->d_inode, stat);
	return 0;
}

int vfs_getattr(const struct path *path, struct stat *stat)
{
	struct inode *inode = path->dentry->d_inode;
	if (!inode)
		return -ENOENT;
	if (inode->i_fop == &ext4_file_operations)
		return ext4_file_getattr(NULL, path, stat, STATX_BASIC_STATS, 0);
	generic_fillattr(inode, stat);
	return 0;
}

int vfs_statx(int dfd, struct filename *name, int flags, struct stat *stat)
{
	struct path path;
	int error = filename_lookup(dfd, name, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &path);
	if (error)
		return error;
	error = vfs_getattr(&path, stat);
	path_put(&path);
	return error;
}

int vfs_fstat(unsigned int fd, struct stat *stat)
{
	struct file *file = fget(fd);
	int error = -EBADF;
	if (!file)
		return error;
	if (file->f_inode)
		error = vfs_getattr(&file->f_path, stat);
	fput(file);
	return error;
}

int cp_new_stat(const struct stat *stat, void *user)
{
	return _copy_to_user(user, stat, sizeof(*stat)) ? -EFAULT : 0;
}

long user_stat(int dfd, const char *user, int flags, void *buf)
{
	struct filename *name = getname_flags(user, 0);
	struct stat stat;
	int error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	error = vfs_statx(dfd, name, flags, &stat);
	putname(name);
	return error ? error : cp_new_stat(&stat, buf);
}

long __x64_sys_stat(const struct pt_regs *regs)
{
	return user_stat(AT_FDCWD, (const char *)regs->di, 0, (void *)regs->si);
}

long __x64_sys_newlstat(const struct pt_regs *regs)
{
	return user_stat(AT_FDCWD, (const char *)regs->di, AT_SYMLINK_NOFOLLOW, (void *)regs->si);
}

long __x64_sys_newfstatat(const struct pt_regs *regs)
{
	if (regs->r10 & ~(u64)AT_SYMLINK_NOFOLLOW)
		return -EINVAL;
	return user_stat((int)regs->di, (const char *)regs->si, (int)regs->r10, (void *)regs->dx);
}

long __x64_sys_fstat(const struct pt_regs *regs)
{
	struct stat stat;
	int error = vfs_fstat((unsigned int)regs->di, &stat);
	return error ? error : cp_new_stat(&stat, (void *)regs->si);
}
