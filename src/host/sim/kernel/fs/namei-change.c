/* Names that are made, removed, moved. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define JOURNAL_TEXT 232

/* Two paths as one text of the journal, a tab between them. */
void journal_paths(enum journal_kind kind, const char *from, const char *to, long error)
{
	char text[JOURNAL_TEXT];
	size_t n = strscpy(text, from, JOURNAL_TEXT / 2);
	text[n++] = '\t';
	strscpy(text + n, to, JOURNAL_TEXT - n);
	journal(kind, pid_tgid(current), (u64)text, (u64)error, 0);
}

/* Locks the directory and looks the last component up there. With an error nothing is held or locked. */
struct dentry *lock_and_lookup(struct nameidata *nd)
{
	struct inode *dir = nd->path.dentry->d_inode;
	struct dentry *dentry;
	inode_lock(dir);
	dentry = __lookup_slow(&nd->last, nd->path.dentry);
	if (!IS_ERR(dentry))
		return dentry;
	inode_unlock(dir);
	path_put(&nd->path);
	return dentry;
}

void done_path(struct nameidata *nd, struct dentry *dentry)
{
	inode_unlock(nd->path.dentry->d_inode);
	dput(dentry);
	path_put(&nd->path);
}

/* A name that is not there yet, in a locked directory that is there and may be written to. */
struct dentry *filename_create(int dfd, struct filename *name, struct nameidata *nd)
{
	struct dentry *dentry;
	long error = filename_parentat(dfd, name, nd);
	if (error)
		return ERR_PTR(error);
	if (nd->last_type != LAST_NORM) {
		path_put(&nd->path);
		return ERR_PTR(-EEXIST);
	}
	dentry = lock_and_lookup(nd);
	if (IS_ERR(dentry))
		return dentry;
	error = dentry->d_inode ? -EEXIST : mnt_want_write(nd->path.mnt);
	if (!error && !nd->path.dentry->d_inode->i_nlink)
		error = -ENOENT;
	if (!error)
		return dentry;
	done_path(nd, dentry);
	return ERR_PTR(error);
}

/* A name that is there, in its locked directory, to be removed. */
struct dentry *filename_delete(int dfd, struct filename *name, struct nameidata *nd, long bad_name)
{
	struct dentry *dentry;
	long error = filename_parentat(dfd, name, nd);
	if (error)
		return ERR_PTR(error);
	if (nd->last_type != LAST_NORM) {
		path_put(&nd->path);
		return ERR_PTR(bad_name);
	}
	dentry = lock_and_lookup(nd);
	if (IS_ERR(dentry))
		return dentry;
	error = dentry->d_inode ? mnt_want_write(nd->path.mnt) : -ENOENT;
	if (!error)
		return dentry;
	done_path(nd, dentry);
	return ERR_PTR(error);
}

/* Whether names of the directory may come and go. */
int may_change(struct inode *dir) { return inode_permission(dir, MAY_WRITE | MAY_EXEC); }

int vfs_unlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry,
	       struct inode **delegated_inode)
{
	int error;
	(void)mnt_userns;
	(void)delegated_inode;
	if (S_ISDIR(dentry->d_inode->i_mode))
		return -EISDIR;
	if (!dir->i_op->unlink)
		return -EPERM;
	error = may_change(dir);
	if (!error)
		error = security_inode_unlink(dir, dentry);
	if (!error)
		error = dir->i_op->unlink(dir, dentry);
	if (!error)
		d_delete(dentry);
	return error;
}

long do_unlinkat(int dfd, struct filename *name)
{
	struct nameidata nd = { .name = name };
	struct dentry *dentry;
	long error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	dentry = filename_delete(dfd, name, &nd, -EISDIR);
	error = PTR_ERR(dentry);
	if (!IS_ERR(dentry)) {
		error = vfs_unlink(&init_user_ns, nd.path.dentry->d_inode, dentry, NULL);
		done_path(&nd, dentry);
	}
	journal(J_UNLINK, pid_tgid(current), (u64)name->name, (u64)error, 0);
	putname(name);
	return error;
}

int vfs_rmdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry)
{
	int error;
	(void)mnt_userns;
	if (!S_ISDIR(dentry->d_inode->i_mode))
		return -ENOTDIR;
	if (is_local_mountpoint(dentry))
		return -EBUSY;
	if (!dir->i_op->rmdir)
		return -EPERM;
	error = may_change(dir);
	if (!error)
		error = dir->i_op->rmdir(dir, dentry);
	if (!error)
		d_delete(dentry);
	return error;
}

long do_rmdir(int dfd, struct filename *name)
{
	struct nameidata nd = { .name = name };
	struct dentry *dentry;
	long error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	dentry = filename_delete(dfd, name, &nd, -EBUSY);
	error = PTR_ERR(dentry);
	if (!IS_ERR(dentry)) {
		error = vfs_rmdir(&init_user_ns, nd.path.dentry->d_inode, dentry);
		done_path(&nd, dentry);
	}
	journal(J_RMDIR, pid_tgid(current), (u64)name->name, (u64)error, 0);
	putname(name);
	return error;
}

int vfs_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	if (!dir->i_op->mkdir)
		return -EPERM;
	if (may_change(dir))
		return -EACCES;
	return dir->i_op->mkdir(mnt_userns, dir, dentry, (umode_t)((mode & 07777) | S_IFDIR));
}

long do_mkdirat(int dfd, struct filename *name, umode_t mode)
{
	struct nameidata nd = { .name = name };
	struct dentry *dentry;
	long error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	dentry = filename_create(dfd, name, &nd);
	error = PTR_ERR(dentry);
	if (!IS_ERR(dentry)) {
		error = vfs_mkdir(&init_user_ns, nd.path.dentry->d_inode, dentry, mode);
		done_path(&nd, dentry);
	}
	journal(J_MKDIR, pid_tgid(current), (u64)name->name, (u64)error, 0);
	putname(name);
	return error;
}

int vfs_symlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, const char *oldname)
{
	if (!dir->i_op->symlink)
		return -EPERM;
	if (may_change(dir))
		return -EACCES;
	return dir->i_op->symlink(mnt_userns, dir, dentry, oldname);
}

long do_symlinkat(struct filename *from, int dfd, struct filename *to)
{
	struct nameidata nd = { .name = to };
	struct dentry *dentry;
	long error = IS_ERR(from) ? PTR_ERR(from) : IS_ERR(to) ? PTR_ERR(to) : 0;
	if (error)
		goto out;
	dentry = filename_create(dfd, to, &nd);
	error = PTR_ERR(dentry);
	if (!IS_ERR(dentry)) {
		error = vfs_symlink(&init_user_ns, nd.path.dentry->d_inode, dentry, from->name);
		done_path(&nd, dentry);
	}
	journal_paths(J_SYMLINK, from->name, to->name, error);
out:
	putname(to);
	putname(from);
	return error;
}

int vfs_link(struct dentry *old_dentry, struct user_namespace *mnt_userns, struct inode *dir, struct dentry *new_dentry,
	     struct inode **delegated_inode)
{
	(void)mnt_userns;
	(void)delegated_inode;
	if (S_ISDIR(old_dentry->d_inode->i_mode) || !dir->i_op->link)
		return -EPERM;
	if (old_dentry->d_sb != dir->i_sb)
		return -EXDEV;
	if (may_change(dir))
		return -EACCES;
	return old_dentry->d_inode->i_nlink ? dir->i_op->link(old_dentry, dir, new_dentry) : -ENOENT;
}

long do_linkat(int olddfd, struct filename *old, int newdfd, struct filename *new)
{
	struct nameidata nd = { .name = new };
	struct path path;
	struct dentry *dentry;
	long error = IS_ERR(new) ? PTR_ERR(new) : filename_lookup(olddfd, old, 0, &path);
	if (error)
		goto out;
	dentry = filename_create(newdfd, new, &nd);
	error = PTR_ERR(dentry);
	if (!IS_ERR(dentry)) {
		error = -EXDEV;
		if (nd.path.mnt == path.mnt)
			error = vfs_link(path.dentry, &init_user_ns, nd.path.dentry->d_inode, dentry, NULL);
		done_path(&nd, dentry);
	}
	path_put(&path);
	journal_paths(J_LINK, old->name, new->name, error);
out:
	putname(new);
	putname(old);
	return error;
}

/* Held by who moves names from one directory to another: all others lock one directory at a time. */
static struct mutex s_vfs_rename_mutex = __MUTEX_INITIALIZER(s_vfs_rename_mutex);

void lock_rename(struct inode *p1, struct inode *p2)
{
	mutex_lock(&s_vfs_rename_mutex);
	inode_lock(p1);
	if (p1 != p2)
		inode_lock(p2);
}

void unlock_rename(struct inode *p1, struct inode *p2)
{
	if (p1 != p2)
		inode_unlock(p2);
	inode_unlock(p1);
	mutex_unlock(&s_vfs_rename_mutex);
}

/* Whether the one name may take the place of the other. */
int may_replace(const struct dentry *old, const struct dentry *new)
{
	bool directory = S_ISDIR(old->d_inode->i_mode);
	if (!new->d_inode)
		return 0;
	if (directory != S_ISDIR(new->d_inode->i_mode))
		return directory ? -ENOTDIR : -EISDIR;
	return directory && !list_empty(&new->d_subdirs) ? -ENOTEMPTY : 0;
}

int vfs_rename(struct renamedata *rd)
{
	struct dentry *old = rd->old_dentry, *new = rd->new_dentry;
	int error;
	if (old->d_inode == new->d_inode)
		return 0;
	error = may_replace(old, new);
	if (error)
		return error;
	if (may_change(rd->old_dir) || may_change(rd->new_dir))
		return -EACCES;
	if (is_local_mountpoint(old) || is_local_mountpoint(new))
		return -EBUSY;
	if (!rd->old_dir->i_op->rename || !rd->new_dir->i_nlink)
		return rd->new_dir->i_nlink ? -EPERM : -ENOENT;
	error = rd->old_dir->i_op->rename(rd->new_mnt_userns, rd->old_dir, old, rd->new_dir, new, rd->flags);
	if (!error)
		d_move(old, new);
	return error;
}

/* The directories are locked. */
long rename_names(struct nameidata *from, struct nameidata *to, unsigned int flags)
{
	struct renamedata rd = {
		.old_mnt_userns = &init_user_ns,
		.new_mnt_userns = &init_user_ns,
		.old_dir = from->path.dentry->d_inode,
		.new_dir = to->path.dentry->d_inode,
		.flags = flags,
	};
	long error;
	rd.old_dentry = __lookup_slow(&from->last, from->path.dentry);
	if (IS_ERR(rd.old_dentry))
		return PTR_ERR(rd.old_dentry);
	rd.new_dentry = __lookup_slow(&to->last, to->path.dentry);
	error = PTR_ERR(rd.new_dentry);
	if (IS_ERR(rd.new_dentry))
		goto out;
	error = 0;
	if (!rd.old_dentry->d_inode)
		error = -ENOENT;
	else if (rd.new_dentry->d_inode && (flags & RENAME_NOREPLACE))
		error = -EEXIST;
	else if (is_subdir(to->path.dentry, rd.old_dentry))
		error = -EINVAL;
	else if (is_subdir(from->path.dentry, rd.new_dentry))
		error = -ENOTEMPTY;
	if (!error)
		error = vfs_rename(&rd);
	dput(rd.new_dentry);
out:
	dput(rd.old_dentry);
	return error;
}

long rename_paths(struct nameidata *from, struct nameidata *to, unsigned int flags)
{
	struct inode *p1 = from->path.dentry->d_inode, *p2 = to->path.dentry->d_inode;
	long error;
	if (from->path.mnt != to->path.mnt)
		return -EXDEV;
	if (from->last_type != LAST_NORM || to->last_type != LAST_NORM)
		return -EBUSY;
	error = mnt_want_write(from->path.mnt);
	if (error)
		return error;
	lock_rename(p1, p2);
	error = rename_names(from, to, flags);
	unlock_rename(p1, p2);
	return error;
}

long do_renameat2(int olddfd, struct filename *from, int newdfd, struct filename *to, unsigned int flags)
{
	struct nameidata old = { .name = from }, new = { .name = to };
	long error = flags & ~(u32)RENAME_NOREPLACE ? -EINVAL : IS_ERR(from) ? PTR_ERR(from) : IS_ERR(to) ? PTR_ERR(to) : 0;
	if (error)
		goto out;
	error = filename_parentat(olddfd, from, &old);
	if (!error) {
		error = filename_parentat(newdfd, to, &new);
		if (!error) {
			error = rename_paths(&old, &new, flags);
			path_put(&new.path);
		}
		path_put(&old.path);
	}
	journal_paths(J_MOVE, from->name, to->name, error);
out:
	putname(to);
	putname(from);
	return error;
}

long do_readlinkat(int dfd, const char *name, char *buf, int size)
{
	struct path path;
	long error;
	if (size <= 0)
		return -EINVAL;
	error = user_path_at(dfd, name, 0, &path);
	if (error)
		return error;
	error = -EINVAL;
	if (S_ISLNK(path.dentry->d_inode->i_mode)) {
		size_t n = min(strlen(path.dentry->d_inode->i_link), (size_t)size);
		error = _copy_to_user(buf, path.dentry->d_inode->i_link, n) ? -EFAULT : (long)n;
	}
	path_put(&path);
	return error;
}

static __always_inline struct filename *getname(u64 user) { return getname_flags((const char *)user, 0); }

long __x64_sys_unlink(const struct pt_regs *regs) { return do_unlinkat(AT_FDCWD, getname(regs->di)); }

long __x64_sys_unlinkat(const struct pt_regs *regs)
{
	if (regs->dx & ~(u64)AT_REMOVEDIR)
		return -EINVAL;
	if (regs->dx)
		return do_rmdir((int)regs->di, getname(regs->si));
	return do_unlinkat((int)regs->di, getname(regs->si));
}

long __x64_sys_rmdir(const struct pt_regs *regs) { return do_rmdir(AT_FDCWD, getname(regs->di)); }
long __x64_sys_mkdir(const struct pt_regs *regs) { return do_mkdirat(AT_FDCWD, getname(regs->di), (umode_t)regs->si); }

long __x64_sys_mkdirat(const struct pt_regs *regs)
{
	return do_mkdirat((int)regs->di, getname(regs->si), (umode_t)regs->dx);
}

long __x64_sys_symlink(const struct pt_regs *regs)
{
	return do_symlinkat(getname(regs->di), AT_FDCWD, getname(regs->si));
}

long __x64_sys_link(const struct pt_regs *regs)
{
	return do_linkat(AT_FDCWD, getname(regs->di), AT_FDCWD, getname(regs->si));
}

long __x64_sys_rename(const struct pt_regs *regs)
{
	return do_renameat2(AT_FDCWD, getname(regs->di), AT_FDCWD, getname(regs->si), 0);
}

long __x64_sys_renameat2(const struct pt_regs *regs)
{
	return do_renameat2((int)regs->di, getname(regs->si), (int)regs->dx, getname(regs->r10), (unsigned int)regs->r8);
}

long __x64_sys_readlink(const struct pt_regs *regs)
{
	return do_readlinkat(AT_FDCWD, (const char *)regs->di, (char *)regs->si, (int)regs->dx);
}
