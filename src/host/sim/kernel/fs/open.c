/* Opening and closing of files. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

static struct kmem_cache filp_cachep;

struct file *alloc_empty_file(int flags)
{
	struct file *file;
	if (!filp_cachep.size)
		kmem_cache_create(&filp_cachep, "filp", sizeof(struct file));
	file = kmem_cache_alloc(&filp_cachep, GFP_KERNEL);
	if (!file)
		return ERR_PTR(-ENOMEM);
	memset(file, 0, sizeof(*file));
	file->f_flags = (unsigned int)flags;
	file->f_mode = FMODE_READ;
	if ((flags & O_ACCMODE) == O_WRONLY)
		file->f_mode = FMODE_WRITE;
	else if ((flags & O_ACCMODE) == O_RDWR)
		file->f_mode = FMODE_READ | FMODE_WRITE;
	atomic_set(&file->f_count, 1);
	INIT_LIST_HEAD(&file->f_ep);
	return file;
}

int do_dentry_open(struct file *file, struct inode *inode)
{
	int error;
	file->f_inode = inode;
	file->f_mapping = inode->i_mapping;
	file_ra_state_init(&file->f_ra, inode->i_mapping);
	file->f_op = inode->i_fop;
	path_get(&file->f_path);
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		file->f_mode |= FMODE_LSEEK;
	error = security_file_open(file);
	if (error) {
		file->f_op = NULL;
		return error;
	}
	if (!file->f_op || !file->f_op->open)
		return 0;
	return file->f_op->open(inode, file);
}

int vfs_open(const struct path *path, struct file *file)
{
	file->f_path = *path;
	return do_dentry_open(file, path->dentry->d_inode);
}

/* A file that no name leads to: of a pipe, an epoll. Takes the reference to `inode` over if it succeeds. */
struct file *alloc_file_pseudo(struct inode *inode, struct mount *mount, const char *name, int flags,
			       const struct file_operations *fops)
{
	struct qstr this = { .name = (const unsigned char *)name, .len = (u32)strlen(name) };
	struct file *file = alloc_empty_file(flags);
	struct dentry *dentry;
	if (IS_ERR(file))
		return file;
	dentry = d_alloc(NULL, &this);
	if (!dentry) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	dentry->d_inode = inode;
	dentry->d_sb = inode->i_sb;
	file->f_inode = inode;
	file->f_mapping = inode->i_mapping;
	file->f_path.dentry = dentry;
	file->f_path.mnt = mntget(&mount->mnt);
	file->f_op = fops;
	return file;
}

void __fput(struct file *file)
{
	eventpoll_release(file);
	if (file->f_op && file->f_op->release)
		file->f_op->release(file->f_inode, file);
	if (file->f_inode)
		path_put(&file->f_path);
	kmem_cache_free(&filp_cachep, file);
}

void fput(struct file *file)
{
	if (atomic_dec_and_test(&file->f_count))
		__fput(file);
}

int filp_close(struct file *file)
{
	if (atomic_read(&file->f_count) <= 0)
		return -EBADF;
	fput(file);
	return 0;
}

int build_open_flags(int flags, umode_t mode, struct open_flags *op)
{
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	op->open_flag = flags;
	op->lookup_flags = (flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0);
	op->mode = flags & O_CREAT ? mode : 0;
	op->acc_mode = (flags & O_ACCMODE) || (flags & O_TRUNC) ? (int)FMODE_WRITE : 0;
	return 0;
}

struct file *filp_open(const char *name, int flags, umode_t mode)
{
	struct filename *filename = getname_kernel(name);
	struct open_flags op;
	struct file *file;
	if (IS_ERR(filename))
		return (struct file *)filename;
	build_open_flags(flags, mode, &op);
	file = do_filp_open(AT_FDCWD, filename, &op);
	putname(filename);
	return file;
}

/* The new descriptor, or why there is none. */
long open_into_fd(int dfd, struct filename *name, const struct open_flags *op)
{
	int fd = get_unused_fd_flags((unsigned int)op->open_flag);
	struct file *file;
	if (fd < 0)
		return fd;
	file = do_filp_open(dfd, name, op);
	if (IS_ERR(file)) {
		put_unused_fd((unsigned int)fd);
		return PTR_ERR(file);
	}
	fd_install((unsigned int)fd, file);
	return fd;
}

long do_sys_openat2(int dfd, const char *filename, int flags, umode_t mode)
{
	struct filename *name;
	struct open_flags op;
	long fd = build_open_flags(flags, mode, &op);
	if (fd)
		return fd;
	name = getname_flags(filename, 0);
	if (IS_ERR(name))
		return PTR_ERR(name);
	fd = open_into_fd(dfd, name, &op);
	journal(J_OPEN, pid_tgid(current), (u64)name->name, (u64)flags, (u64)fd);
	putname(name);
	return fd;
}

long __x64_sys_openat(const struct pt_regs *regs)
{
	return do_sys_openat2((int)regs->di, (const char *)regs->si, (int)regs->dx, (umode_t)regs->r10);
}

long __x64_sys_open(const struct pt_regs *regs)
{
	return do_sys_openat2(AT_FDCWD, (const char *)regs->di, (int)regs->si, (umode_t)regs->dx);
}

long __x64_sys_close(const struct pt_regs *regs) { return close_fd((unsigned int)regs->di); }
