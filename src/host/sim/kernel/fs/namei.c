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

void path_get(const struct path *path)
{
	mntget(path->mnt);
	dget(path->dentry);
}

void path_put(const struct path *path)
{
	dput(path->dentry);
	mntput(path->mnt);
}

bool path_equal(const struct path *a, const struct path *b) { return a->mnt == b->mnt && a->dentry == b->dentry; }

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
	dir->d_inode->i_op->lookup(dir->d_inode, dentry, 0);
	return dentry;
}

struct dentry *lookup_slow(const struct qstr *name, struct dentry *dir)
{
	struct dentry *dentry;
	inode_lock(dir->d_inode);
	dentry = __lookup_slow(name, dir);
	inode_unlock(dir->d_inode);
	return dentry;
}

/* On to the root of what is mounted there, and of what is mounted on that. */
void traverse_mounts(struct path *path)
{
	struct vfsmount *mounted;
	while ((path->dentry->d_flags & DCACHE_MOUNTED) && (mounted = lookup_mnt(path))) {
		path_put(path);
		path->mnt = mounted;
		path->dentry = dget(mounted->mnt_root);
	}
}

/* Up one directory, out of as many mounts as that takes. */
void follow_dotdot(struct nameidata *nd)
{
	struct dentry *dentry, *parent;
	while (nd->path.dentry == nd->path.mnt->mnt_root)
		if (!follow_up(&nd->path))
			return;
	dentry = nd->path.dentry;
	parent = dget(dentry->d_parent);
	dput(dentry);
	nd->path.dentry = parent;
	traverse_mounts(&nd->path);
}

/* Moves nd->path to one of its neighbours that need no look-up. */
void handle_dots(struct nameidata *nd, int type)
{
	if (type == LAST_DOTDOT)
		follow_dotdot(nd);
	nd->inode = nd->path.dentry->d_inode;
}

struct dentry *lookup_component(struct nameidata *nd)
{
	struct dentry *dentry = lookup_fast(nd);
	return dentry ? dentry : lookup_slow(&nd->last, nd->path.dentry);
}

int walk_component(struct nameidata *nd, unsigned int flags);
int link_path_walk(const char *name, struct nameidata *nd);

/* The root of the task's namespace. */
void nd_jump_root(struct nameidata *nd)
{
	struct mount *root = current->nsproxy->mnt_ns->root;
	if (nd->path.dentry)
		path_put(&nd->path);
	nd->path.mnt = &root->mnt;
	nd->path.dentry = root->mnt.mnt_root;
	path_get(&nd->path);
	traverse_mounts(&nd->path);
	nd->inode = nd->path.dentry->d_inode;
}

/* Walks all of the link's text but its last component. */
int walk_link(struct nameidata *nd, const struct dentry *link)
{
	const char *text = link->d_inode->i_link;
	if (nd->total_link_count++ >= MAXSYMLINKS)
		return -ELOOP;
	if (*text == '/')
		nd_jump_root(nd);
	return link_path_walk(text, nd);
}

/* To where the link leads. Its dentry, whose reference this takes, is what keeps the text. */
int pick_link(struct nameidata *nd, struct dentry *link)
{
	int error = nd->depth == MAX_NESTED_LINKS ? -ELOOP : 0;
	nd->depth++;
	if (!error)
		error = walk_link(nd, link);
	if (!error && nd->last_type != LAST_ROOT)
		error = walk_component(nd, LOOKUP_FOLLOW);
	nd->depth--;
	dput(link);
	return error;
}

/* Takes the reference to the dentry. */
int step_into(struct nameidata *nd, struct dentry *dentry, unsigned int flags)
{
	if (!dentry->d_inode) {
		dput(dentry);
		return -ENOENT;
	}
	if (S_ISLNK(dentry->d_inode->i_mode) && (flags & LOOKUP_FOLLOW))
		return pick_link(nd, dentry);
	dput(nd->path.dentry);
	nd->path.dentry = dentry;
	traverse_mounts(&nd->path);
	nd->inode = nd->path.dentry->d_inode;
	return 0;
}

int walk_component(struct nameidata *nd, unsigned int flags)
{
	struct dentry *dentry;
	if (unlikely(nd->last_type != LAST_NORM)) {
		handle_dots(nd, nd->last_type);
		return 0;
	}
	dentry = lookup_component(nd);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	return step_into(nd, dentry, flags);
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
		if (!S_ISDIR(nd->path.dentry->d_inode->i_mode))
			return -ENOTDIR;
		if (!*name)
			return 0;
		error = walk_component(nd, LOOKUP_FOLLOW);
		if (error)
			return error;
	}
	return 0;
}

/* Where a walk starts: at the root, for there are no working directories, or at the open directory `dfd`. */
int path_init(struct nameidata *nd)
{
	struct file *file;
	nd->path.dentry = NULL;
	if (nd->dfd == AT_FDCWD || nd->name->name[0] == '/') {
		nd_jump_root(nd);
		return 0;
	}
	file = fget((unsigned int)nd->dfd);
	if (!file)
		return -EBADF;
	if (!file->f_inode || !S_ISDIR(file->f_inode->i_mode)) {
		fput(file);
		return -ENOTDIR;
	}
	nd->path = file->f_path;
	path_get(&nd->path);
	nd->inode = nd->path.dentry->d_inode;
	fput(file);
	return 0;
}

/* All but the last component; with an error nothing is held. */
int path_parentat(struct nameidata *nd)
{
	int error = path_init(nd);
	if (error)
		return error;
	error = link_path_walk(nd->name->name, nd);
	if (!error && !S_ISDIR(nd->path.dentry->d_inode->i_mode))
		error = -ENOTDIR;
	if (error)
		path_put(&nd->path);
	return error;
}

/* The directory in nd->path, which the caller puts, and the last component in nd->last. */
int filename_parentat(int dfd, struct filename *name, struct nameidata *nd)
{
	nd->name = name;
	nd->dfd = dfd;
	return path_parentat(nd);
}

int path_lookupat(struct nameidata *nd, unsigned int flags, struct path *path)
{
	int error = path_parentat(nd);
	if (error)
		return error;
	if (nd->last_type != LAST_ROOT)
		error = walk_component(nd, flags);
	if (!error && (flags & LOOKUP_DIRECTORY) && !S_ISDIR(nd->inode->i_mode))
		error = -ENOTDIR;
	if (error)
		path_put(&nd->path);
	else
		*path = nd->path;
	return error;
}

int filename_lookup(int dfd, struct filename *name, unsigned int flags, struct path *path)
{
	struct nameidata nd = { .name = name, .dfd = dfd };
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	return path_lookupat(&nd, flags, path);
}

int user_path_at(int dfd, const char *user, unsigned int flags, struct path *path)
{
	struct filename *name = getname_flags(user, 0);
	int error = filename_lookup(dfd, name, flags, path);
	putname(name);
	return error;
}

int vfs_create(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode,
	       bool want_excl)
{
	if (dentry->d_inode)
		return -EEXIST;
	if (!dir->i_nlink)
		return -ENOENT;
	if (!dir->i_op->create)
		return -EPERM;
	return dir->i_op->create(mnt_userns, dir, dentry, (umode_t)((mode & 07777) | S_IFREG), want_excl);
}

/* Whether a file may be made there. */
int may_o_create(const struct path *dir, struct dentry *dentry, umode_t mode)
{
	int error = mnt_want_write(dir->mnt);
	if (!error)
		error = inode_permission(dir->dentry->d_inode, MAY_WRITE | MAY_EXEC);
	return error ? error : security_inode_create(dir->dentry->d_inode, dentry, mode);
}

/* The last component for open: looked up, and made if asked for. */
struct dentry *lookup_open(struct nameidata *nd, const struct open_flags *op)
{
	struct dentry *dir = nd->path.dentry;
	struct dentry *dentry = __lookup_slow(&nd->last, dir);
	bool excl = op->open_flag & O_EXCL;
	int error;
	if (IS_ERR(dentry))
		return dentry;
	if (dentry->d_inode && !(excl && (op->open_flag & O_CREAT)))
		return dentry;
	if (dentry->d_inode)
		error = -EEXIST;
	else
		error = op->open_flag & O_CREAT ? may_o_create(&nd->path, dentry, op->mode) : -ENOENT;
	if (!error)
		error = vfs_create(&init_user_ns, dir->d_inode, dentry, op->mode, excl);
	if (error) {
		dput(dentry);
		return ERR_PTR(error);
	}
	nd->flags |= FMODE_CREATED;
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
	inode_lock(nd->path.dentry->d_inode);
	dentry = lookup_open(nd, op);
	inode_unlock(nd->path.dentry->d_inode);
	return dentry;
}

int handle_truncate(struct inode *inode)
{
	if (!inode->i_op || !inode->i_op->truncate)
		return 0;
	inode_lock(inode);
	inode->i_op->truncate(inode);
	inode_unlock(inode);
	return 0;
}

int acc_mask(const struct open_flags *op)
{
	int mask = op->acc_mode & (int)FMODE_WRITE ? MAY_WRITE : 0;
	return (op->open_flag & O_ACCMODE) == O_WRONLY ? mask : mask | MAY_READ;
}

/* A file that this very call made may be opened whatever its mode is. */
int may_open(const struct path *path, const struct open_flags *op, bool created)
{
	struct inode *inode = path->dentry->d_inode;
	bool directory = S_ISDIR(inode->i_mode);
	if (S_ISLNK(inode->i_mode))
		return -ELOOP;
	if (directory && (op->acc_mode & (int)FMODE_WRITE))
		return -EISDIR;
	if (!directory && (op->open_flag & O_DIRECTORY))
		return -ENOTDIR;
	if (!created && inode_permission(inode, acc_mask(op)))
		return -EACCES;
	return S_ISREG(inode->i_mode) && (op->acc_mode & (int)FMODE_WRITE) ? mnt_want_write(path->mnt) : 0;
}

/* Takes the reference to the dentry. */
int do_open(struct nameidata *nd, struct dentry *dentry, struct file *file, const struct open_flags *op)
{
	struct path path = { .dentry = dentry, .mnt = mntget(nd->path.mnt) };
	int error;
	traverse_mounts(&path);
	error = may_open(&path, op, nd->flags & FMODE_CREATED);
	if (!error && (op->open_flag & O_TRUNC))
		error = handle_truncate(path.dentry->d_inode);
	if (!error)
		error = vfs_open(&path, file);
	path_put(&path);
	return error;
}

/* The last component, wherever links lead: with nd->path the directory it is in. */
struct dentry *open_lookup(struct nameidata *nd, const struct open_flags *op)
{
	struct dentry *link = NULL, *dentry;
	for (;;) {
		int error;
		dentry = open_last_lookups(nd, op);
		/* The text of the last link was needed until now. */
		dput(link);
		if (IS_ERR(dentry) || !S_ISLNK(dentry->d_inode->i_mode) || !(op->lookup_flags & LOOKUP_FOLLOW))
			return dentry;
		link = dentry;
		error = walk_link(nd, link);
		if (error) {
			dput(link);
			return ERR_PTR(error);
		}
	}
}

struct file *path_openat(struct nameidata *nd, const struct open_flags *op)
{
	struct file *file = alloc_empty_file(op->open_flag);
	struct dentry *dentry;
	int error;
	if (IS_ERR(file))
		return file;
	error = path_parentat(nd);
	if (!error) {
		dentry = open_lookup(nd, op);
		error = IS_ERR(dentry) ? (int)PTR_ERR(dentry) : do_open(nd, dentry, file, op);
		path_put(&nd->path);
	}
	if (!error)
		return file;
	fput(file);
	return ERR_PTR(error);
}

struct file *do_filp_open(int dfd, struct filename *name, const struct open_flags *op)
{
	struct nameidata nd = { .name = name, .dfd = dfd };
	return path_openat(&nd, op);
}
