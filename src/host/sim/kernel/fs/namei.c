/* Names: from user memory to a dentry, component by component. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

static struct kmem_cache names_cachep;

struct filename *names_cache_alloc(void)
{
	struct filename *name;
	if (!names_cachep.size)
		kmem_cache_create(&names_cachep, "names_cache", sizeof(struct filename) + FILENAME_MAX);
	name = kmem_cache_alloc(&names_cachep, GFP_KERNEL);
	if (!name)
		return NULL;
	name->refcnt = 1;
	name->name = name->iname;
	return name;
}

void putname(struct filename *name)
{
	if (!IS_ERR(name) && --name->refcnt == 0)
		kmem_cache_free(&names_cachep, name);
}

struct filename *getname_flags(const char *filename, int flags)
{
	struct filename *name = names_cache_alloc();
	long len;
	(void)flags;
	if (!name)
		return ERR_PTR(-ENOMEM);
	name->uptr = filename;
	len = strncpy_from_user(name->iname, filename, FILENAME_MAX);
	if (len < 0 || len == FILENAME_MAX || !len) {
		putname(name);
		return ERR_PTR(len < 0 ? len : len ? -ENAMETOOLONG : -ENOENT);
	}
	return name;
}

struct filename *getname_kernel(const char *filename)
{
	struct filename *name = names_cache_alloc();
	if (!name)
		return ERR_PTR(-ENOMEM);
	name->uptr = NULL;
	strscpy(name->iname, filename, FILENAME_MAX);
	return name;
}

struct dentry *lookup_fast(struct nameidata *nd)
{
	struct dentry *dir = nd->path.dentry;
	struct dentry *dentry = __d_lookup(dir, &nd->last);
	if (dentry && dentry->d_inode)
		return dentry;
	dput(dentry);
	return NULL;
}

/* Asks the file system. A dentry without inode is its word that there is no such name. */
struct dentry *__lookup_slow(const struct qstr *name, struct dentry *dir)
{
	struct dentry *dentry, *old = __d_lookup(dir, name);
	if (old)
		return old;
	dentry = d_alloc(dir, name);
	if (!dentry)
		return ERR_PTR(name->len >= DNAME_INLINE_LEN ? -ENAMETOOLONG : -ENOMEM);
	d_add(dentry, ext4_lookup(dir->d_inode, dentry));
	return dentry;
}

struct dentry *lookup_slow(const struct qstr *name, struct dentry *dir)
{
	struct dentry *dentry;
	mutex_lock(&dir->d_inode->i_rwsem);
	dentry = __lookup_slow(name, dir);
	mutex_unlock(&dir->d_inode->i_rwsem);
	return dentry;
}

/* Moves nd->path to one of its neighbours that need no look-up. */
void handle_dots(struct nameidata *nd, int type)
{
	struct dentry *dentry = nd->path.dentry;
	if (type != LAST_DOTDOT || dentry->d_parent == dentry)
		return;
	nd->path.dentry = dget(dentry->d_parent);
	dput(dentry);
}

struct dentry *lookup_component(struct nameidata *nd)
{
	struct dentry *dentry = lookup_fast(nd);
	return dentry ? dentry : lookup_slow(&nd->last, nd->path.dentry);
}

int walk_component(struct nameidata *nd)
{
	struct dentry *dentry;
	if (unlikely(nd->last_type != LAST_NORM)) {
		handle_dots(nd, nd->last_type);
		return 0;
	}
	dentry = lookup_component(nd);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	if (!dentry->d_inode) {
		dput(dentry);
		return -ENOENT;
	}
	dput(nd->path.dentry);
	nd->path.dentry = dentry;
	nd->inode = dentry->d_inode;
	return 0;
}

const char *hash_name(struct nameidata *nd, const char *name)
{
	const char *end = name;
	unsigned int len;
	while (*end && *end != '/')
		end++;
	len = (unsigned int)(end - name);
	nd->last.name = (const unsigned char *)name;
	nd->last.len = len;
	nd->last.hash = full_name_hash(nd->last.name, len);
	nd->last_type = LAST_NORM;
	if (len == 1 && name[0] == '.')
		nd->last_type = LAST_DOT;
	else if (len == 2 && name[0] == '.' && name[1] == '.')
		nd->last_type = LAST_DOTDOT;
	while (*end == '/')
		end++;
	return end;
}

/* Walks all components but the last, which it leaves in nd->last. */
int link_path_walk(const char *name, struct nameidata *nd)
{
	int error;
	while (*name == '/')
		name++;
	nd->last_type = LAST_ROOT;
	while (*name) {
		name = hash_name(nd, name);
		if ((nd->path.dentry->d_inode->i_mode & S_IFMT) != S_IFDIR)
			return -ENOTDIR;
		if (!*name)
			return 0;
		error = walk_component(nd);
		if (error)
			return error;
	}
	return 0;
}

/* There are no working directories: every path starts at the root. */
const char *path_init(struct nameidata *nd, struct filename *name)
{
	struct dentry *start = root_sb.s_root;
	nd->name = name;
	nd->path.mnt = &root_mount.mnt;
	nd->path.dentry = dget(start);
	nd->inode = start->d_inode;
	return name->name;
}

/* The directory in nd->path and the last component in nd->last; the caller puts nd->path.dentry. */
int filename_parentat(int dfd, struct filename *name, struct nameidata *nd)
{
	int error;
	(void)dfd;
	error = link_path_walk(path_init(nd, name), nd);
	if (!error && nd->last_type != LAST_NORM)
		error = -EEXIST;
	if (!error && (nd->path.dentry->d_inode->i_mode & S_IFMT) != S_IFDIR)
		error = -ENOTDIR;
	if (error)
		dput(nd->path.dentry);
	return error;
}

int path_lookupat(struct nameidata *nd, struct path *path)
{
	int error = link_path_walk(path_init(nd, nd->name), nd);
	if (!error && nd->last_type != LAST_ROOT)
		error = walk_component(nd);
	if (error) {
		dput(nd->path.dentry);
		return error;
	}
	*path = nd->path;
	return 0;
}

int filename_lookup(int dfd, struct filename *name, struct path *path)
{
	struct nameidata nd = { .name = name };
	(void)dfd;
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	return path_lookupat(&nd, path);
}

int vfs_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	if (dentry->d_inode)
		return -EEXIST;
	return ext4_create(dir, dentry, (umode_t)((mode & 07777) | S_IFREG));
}

/* Whether a file may be made there. */
int may_o_create(const struct path *dir, struct dentry *dentry, umode_t mode)
{
	int error = inode_permission(dir->dentry->d_inode, MAY_WRITE | MAY_EXEC);
	return error ? error : security_inode_create(dir->dentry->d_inode, dentry, mode);
}

/* The last component for open: looked up, and made if asked for. */
struct dentry *lookup_open(struct nameidata *nd, const struct open_flags *op)
{
	struct dentry *dir = nd->path.dentry;
	struct dentry *dentry = __lookup_slow(&nd->last, dir);
	int error;
	if (IS_ERR(dentry) || dentry->d_inode)
		return dentry;
	error = op->open_flag & O_CREAT ? may_o_create(&nd->path, dentry, op->mode) : -ENOENT;
	if (!error)
		error = vfs_create(dir->d_inode, dentry, op->mode);
	nd->flags |= FMODE_CREATED;
	if (error) {
		dput(dentry);
		return ERR_PTR(error);
	}
	return dentry;
}

struct dentry *open_last_lookups(struct nameidata *nd, const struct open_flags *op)
{
	struct dentry *dentry;
	if (nd->last_type != LAST_NORM) {
		handle_dots(nd, nd->last_type);
		return dget(nd->path.dentry);
	}
	if (!(op->open_flag & O_CREAT)) {
		dentry = lookup_fast(nd);
		if (dentry)
			return dentry;
	}
	mutex_lock(&nd->path.dentry->d_inode->i_rwsem);
	dentry = lookup_open(nd, op);
	mutex_unlock(&nd->path.dentry->d_inode->i_rwsem);
	return dentry;
}

int vfs_open(const struct path *path, struct file *file);

int acc_mask(const struct open_flags *op)
{
	int mask = op->acc_mode & (int)FMODE_WRITE ? MAY_WRITE : 0;
	return (op->open_flag & O_ACCMODE) == O_WRONLY ? mask : mask | MAY_READ;
}

/* A file that this very call made may be opened whatever its mode is. */
int do_open(struct nameidata *nd, struct dentry *dentry, struct file *file, const struct open_flags *op)
{
	struct inode *inode = dentry->d_inode;
	struct path path = { .dentry = dentry, .mnt = nd->path.mnt };
	bool directory = (inode->i_mode & S_IFMT) == S_IFDIR;
	if (directory && (op->acc_mode & (int)FMODE_WRITE))
		return -EISDIR;
	if (!directory && (op->open_flag & O_DIRECTORY))
		return -ENOTDIR;
	if (!(nd->flags & FMODE_CREATED) && inode_permission(inode, acc_mask(op)))
		return -EACCES;
	if (op->open_flag & O_TRUNC) {
		mutex_lock(&inode->i_rwsem);
		ext4_truncate(inode);
		mutex_unlock(&inode->i_rwsem);
	}
	return vfs_open(&path, file);
}

struct file *path_openat(struct nameidata *nd, const struct open_flags *op)
{
	struct file *file = alloc_empty_file(op->open_flag);
	struct dentry *dentry;
	int error;
	if (IS_ERR(file))
		return file;
	error = link_path_walk(path_init(nd, nd->name), nd);
	if (error)
		goto out;
	dentry = open_last_lookups(nd, op);
	if (IS_ERR(dentry)) {
		error = (int)PTR_ERR(dentry);
		goto out;
	}
	error = do_open(nd, dentry, file, op);
	dput(dentry);
out:
	dput(nd->path.dentry);
	if (!error)
		return file;
	fput(file);
	return ERR_PTR(error);
}

struct file *do_filp_open(int dfd, struct filename *name, const struct open_flags *op)
{
	struct nameidata nd = { .name = name };
	(void)dfd;
	return path_openat(&nd, op);
}

int vfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	int error;
	if ((inode->i_mode & S_IFMT) == S_IFDIR)
		return -EISDIR;
	error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!error)
		error = security_inode_unlink(dir, dentry);
	return error ? error : ext4_unlink(dir, dentry);
}

long do_unlinkat(int dfd, struct filename *name)
{
	struct nameidata nd = { .name = name };
	struct dentry *dentry, *dir;
	long error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	error = filename_parentat(dfd, name, &nd);
	if (error)
		goto out;
	dir = nd.path.dentry;
	mutex_lock(&dir->d_inode->i_rwsem);
	dentry = __lookup_slow(&nd.last, dir);
	error = IS_ERR(dentry) ? PTR_ERR(dentry) : dentry->d_inode ? vfs_unlink(dir->d_inode, dentry) : -ENOENT;
	mutex_unlock(&dir->d_inode->i_rwsem);
	if (!IS_ERR(dentry))
		dput(dentry);
	dput(dir);
out:
	journal(J_UNLINK, pid_tgid(current), (u64)name->name, (u64)error, 0);
	putname(name);
	return error;
}

int vfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	if (dentry->d_inode)
		return -EEXIST;
	if (inode_permission(dir, MAY_WRITE | MAY_EXEC))
		return -EACCES;
	return ext4_mkdir(dir, dentry, (umode_t)((mode & 07777) | S_IFDIR));
}

long do_mkdirat(int dfd, struct filename *name, umode_t mode)
{
	struct nameidata nd = { .name = name };
	struct dentry *dentry, *dir;
	long error;
	if (IS_ERR(name))
		return PTR_ERR(name);
	error = filename_parentat(dfd, name, &nd);
	if (error)
		goto out;
	dir = nd.path.dentry;
	mutex_lock(&dir->d_inode->i_rwsem);
	dentry = __lookup_slow(&nd.last, dir);
	error = IS_ERR(dentry) ? PTR_ERR(dentry) : vfs_mkdir(dir->d_inode, dentry, mode);
	mutex_unlock(&dir->d_inode->i_rwsem);
	if (!IS_ERR(dentry))
		dput(dentry);
	dput(dir);
out:
	journal(J_MKDIR, pid_tgid(current), (u64)name->name, (u64)error, 0);
	putname(name);
	return error;
}

long __x64_sys_unlink(const struct pt_regs *regs)
{
	return do_unlinkat(AT_FDCWD, getname_flags((const char *)regs->di, 0));
}

long __x64_sys_unlinkat(const struct pt_regs *regs)
{
	if (regs->dx)
		return -EINVAL;
	return do_unlinkat((int)regs->di, getname_flags((const char *)regs->si, 0));
}

long __x64_sys_mkdir(const struct pt_regs *regs)
{
	return do_mkdirat(AT_FDCWD, getname_flags((const char *)regs->di, 0), (umode_t)regs->si);
}
