/* Mounts: file systems at their places among the names, and namespaces, which are trees of mounts. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define FIRST_MNT_NS 4026531841u
#define PATH_MAX 200

struct mnt_namespace init_mnt_ns = {
	.ns = { .inum = FIRST_MNT_NS },
	.root = &root_mount,
	.list = LIST_HEAD_INIT(init_mnt_ns.list),
	.count = { 1 },
};
/* Guards the trees; the mutex orders those who change them. */
static spinlock_t mount_lock;
static struct mutex namespace_sem;
static struct list_head mount_hashtable = LIST_HEAD_INIT(mount_hashtable);
static struct kmem_cache mnt_cache;
static volatile int mnt_ids;
static volatile u32 mnt_ns_inums = FIRST_MNT_NS;

struct file_system_type *get_fs_type(const char *name);
void deactivate_super(struct super_block *sb);

void init_mount(struct mount *mnt)
{
	atomic_set(&mnt->mnt_count, 1);
	mnt->mnt_id = __atomic_add_fetch(&mnt_ids, 1, __ATOMIC_SEQ_CST);
	INIT_LIST_HEAD(&mnt->mnt_hash);
	INIT_LIST_HEAD(&mnt->mnt_mounts);
	INIT_LIST_HEAD(&mnt->mnt_child);
	INIT_LIST_HEAD(&mnt->mnt_list);
}

void mnt_init(void)
{
	kmem_cache_create(&mnt_cache, "mnt_cache", sizeof(struct mount));
	mutex_init(&namespace_sem);
	init_mount(&root_mount);
	root_mount.mnt_ns = &init_mnt_ns;
	list_add_tail(&root_mount.mnt_list, &init_mnt_ns.list);
	init_mnt_ns.mounts = 1;
	shmem_init();
}

struct vfsmount *mntget(struct vfsmount *mnt)
{
	atomic_inc(&real_mount(mnt)->mnt_count);
	return mnt;
}

/* The last one takes the mount, and with it what it holds of the file system. */
void mntput(struct vfsmount *mnt)
{
	struct mount *mount = real_mount(mnt);
	struct super_block *sb = mnt->mnt_sb;
	if (!atomic_dec_and_test(&mount->mnt_count))
		return;
	dput(mnt->mnt_root);
	kfree(mount->mnt_devname);
	kmem_cache_free(&mnt_cache, mount);
	deactivate_super(sb);
}

/* A mount of the dentry's file system, whose references it takes over; it has no place yet. */
struct mount *alloc_vfsmnt(struct dentry *root, const char *devname)
{
	struct mount *mount = kmem_cache_alloc(&mnt_cache, GFP_KERNEL);
	if (!mount)
		return NULL;
	memset(mount, 0, sizeof(*mount));
	init_mount(mount);
	mount->mnt.mnt_root = mount->mnt_mountpoint = root;
	mount->mnt.mnt_sb = root->d_sb;
	mount->mnt_parent = mount;
	mount->mnt_devname = kstrdup(devname);
	return mount;
}

struct mount *__lookup_mnt(struct vfsmount *mnt, const struct dentry *dentry)
{
	struct list_head *pos;
	list_for_each(pos, &mount_hashtable) {
		struct mount *mount = list_entry(pos, struct mount, mnt_hash);
		if (&mount->mnt_parent->mnt == mnt && mount->mnt_mountpoint == dentry)
			return mount;
	}
	return NULL;
}

/* What is mounted there, with a reference. */
struct vfsmount *lookup_mnt(const struct path *path)
{
	struct mount *mount;
	_raw_spin_lock(&mount_lock);
	mount = __lookup_mnt(path->mnt, path->dentry);
	if (mount)
		mntget(&mount->mnt);
	_raw_spin_unlock(&mount_lock);
	return mount ? &mount->mnt : NULL;
}

/* From the root of a mount to the place where it is mounted; false at the root of all. */
bool follow_up(struct path *path)
{
	struct mount *mount = real_mount(path->mnt), *parent;
	struct dentry *mountpoint;
	_raw_spin_lock(&mount_lock);
	parent = mount->mnt_parent;
	mountpoint = mount->mnt_mountpoint;
	if (parent != mount) {
		mntget(&parent->mnt);
		dget(mountpoint);
	}
	_raw_spin_unlock(&mount_lock);
	if (parent == mount)
		return false;
	path_put(path);
	path->mnt = &parent->mnt;
	path->dentry = mountpoint;
	return true;
}

/* Whether something is mounted there in the task's own namespace. */
bool is_local_mountpoint(struct dentry *dentry)
{
	struct list_head *pos;
	bool found = false;
	if (!(dentry->d_flags & DCACHE_MOUNTED))
		return false;
	_raw_spin_lock(&mount_lock);
	list_for_each(pos, &mount_hashtable) {
		const struct mount *mount = list_entry(pos, struct mount, mnt_hash);
		found |= mount->mnt_mountpoint == dentry && mount->mnt_ns == current->nsproxy->mnt_ns;
	}
	_raw_spin_unlock(&mount_lock);
	return found;
}

int mnt_want_write(struct vfsmount *mnt) { return mnt->mnt_flags & MNT_READONLY ? -EROFS : 0; }

/* Puts the mount at its place; it takes over the reference to the mountpoint's dentry and its mount. The lock is held. */
void attach_mnt(struct mount *mount, struct mount *parent, struct dentry *mountpoint, struct mnt_namespace *ns)
{
	mount->mnt_parent = parent;
	mount->mnt_mountpoint = mountpoint;
	mount->mnt_ns = ns;
	mountpoint->d_flags |= DCACHE_MOUNTED;
	list_add(&mount->mnt_hash, &mount_hashtable);
	list_add_tail(&mount->mnt_child, &parent->mnt_mounts);
	list_add_tail(&mount->mnt_list, &ns->list);
	ns->mounts++;
}

/* Takes it away again. The lock is held; the caller puts what is returned, and the mount. */
struct path detach_mnt(struct mount *mount)
{
	struct path place = { .mnt = &mount->mnt_parent->mnt, .dentry = mount->mnt_mountpoint };
	list_del_init(&mount->mnt_hash);
	list_del_init(&mount->mnt_child);
	list_del_init(&mount->mnt_list);
	mount->mnt_ns->mounts--;
	mount->mnt_ns = NULL;
	mount->mnt_parent = mount;
	mount->mnt_mountpoint = mount->mnt.mnt_root;
	return place;
}

int graft_tree(struct mount *mount, struct path *path)
{
	if (S_ISDIR(mount->mnt.mnt_root->d_inode->i_mode) != S_ISDIR(path->dentry->d_inode->i_mode))
		return -ENOTDIR;
	if (real_mount(path->mnt)->mnt_ns != current->nsproxy->mnt_ns || !path->dentry->d_inode->i_nlink)
		return -EINVAL;
	path_get(path);
	_raw_spin_lock(&mount_lock);
	attach_mnt(mount, real_mount(path->mnt), path->dentry, current->nsproxy->mnt_ns);
	_raw_spin_unlock(&mount_lock);
	return 0;
}

/* Another mount of the same tree. */
struct mount *clone_mnt(struct mount *old, struct dentry *root)
{
	struct mount *mount = alloc_vfsmnt(root, old->mnt_devname);
	if (!mount)
		return NULL;
	dget(root);
	atomic_inc(&old->mnt.mnt_sb->s_active);
	mount->mnt.mnt_flags = old->mnt.mnt_flags;
	return mount;
}

/* A part of the tree at a second place. */
int do_loopback(struct path *path, const char *old_name)
{
	struct filename *name = getname_kernel(old_name);
	struct mount *mount;
	struct path old;
	int error = filename_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &old);
	putname(name);
	if (error)
		return error;
	mount = clone_mnt(real_mount(old.mnt), old.dentry);
	path_put(&old);
	if (!mount)
		return -ENOMEM;
	error = graft_tree(mount, path);
	if (error)
		mntput(&mount->mnt);
	return error;
}

int do_new_mount(struct path *path, const char *fstype, unsigned long flags, const char *name, void *data)
{
	struct file_system_type *type = fstype ? get_fs_type(fstype) : NULL;
	struct mount *mount;
	struct dentry *root;
	int error;
	if (!type)
		return fstype ? -ENODEV : -EINVAL;
	root = type->mount(type, (int)flags, name, data);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	mount = alloc_vfsmnt(root, name ? name : "none");
	if (!mount) {
		struct super_block *sb = root->d_sb;
		dput(root);
		deactivate_super(sb);
		return -ENOMEM;
	}
	mount->mnt.mnt_flags = flags & MS_RDONLY ? MNT_READONLY : 0;
	error = path->dentry == root && path->mnt->mnt_root == root ? -EBUSY : graft_tree(mount, path);
	if (error)
		mntput(&mount->mnt);
	return error;
}

int path_mount(const char *dev_name, struct path *path, const char *type, unsigned long flags, void *data)
{
	int error;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & (MS_REMOUNT | MS_MOVE))
		return -EINVAL;
	mutex_lock(&namespace_sem);
	if (flags & MS_BIND)
		error = dev_name ? do_loopback(path, dev_name) : -EINVAL;
	else
		error = do_new_mount(path, type, flags, dev_name, data);
	mutex_unlock(&namespace_sem);
	return error;
}

int do_mount(const char *dev_name, const char *dir_name, const char *type, unsigned long flags, void *data)
{
	struct path path;
	int error = user_path_at(AT_FDCWD, dir_name, LOOKUP_FOLLOW, &path);
	if (error)
		return error;
	error = path_mount(dev_name, &path, type, flags, data);
	path_put(&path);
	return error;
}

/* Whether only the tree itself and the caller hold the mount, and nothing is mounted in it. */
bool mount_is_idle(const struct mount *mount)
{
	return list_empty(&mount->mnt_mounts) && atomic_read(&mount->mnt_count) == 2;
}

/* Detaches the mount and all that is mounted in it, inner ones first. */
void umount_tree(struct mount *mount)
{
	struct path place;
	while (!list_empty(&mount->mnt_mounts))
		umount_tree(list_first_entry(&mount->mnt_mounts, struct mount, mnt_child));
	_raw_spin_lock(&mount_lock);
	place = detach_mnt(mount);
	_raw_spin_unlock(&mount_lock);
	path_put(&place);
	mntput(&mount->mnt);
}

int do_umount(struct mount *mount, int flags)
{
	int error = 0;
	mutex_lock(&namespace_sem);
	if (mount->mnt_ns != current->nsproxy->mnt_ns || mount == current->nsproxy->mnt_ns->root)
		error = -EINVAL;
	else if (!(flags & MNT_DETACH) && !mount_is_idle(mount))
		error = -EBUSY;
	else
		umount_tree(mount);
	mutex_unlock(&namespace_sem);
	return error;
}

int path_umount(struct path *path, int flags)
{
	struct mount *mount = real_mount(path->mnt);
	int error = path->dentry == path->mnt->mnt_root ? 0 : -EINVAL;
	/* Only the mount itself is held, so that it is known whether others use it. */
	dput(path->dentry);
	if (!error)
		error = do_umount(mount, flags);
	mntput(&mount->mnt);
	return error;
}

int ksys_umount(const char *name, int flags)
{
	struct path path;
	int error;
	if (flags & ~(MNT_FORCE | MNT_DETACH))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
	return error ? error : path_umount(&path, flags);
}

/* The copy of a mount, by its place in the list of its namespace. */
struct mount *copy_of(const struct mount *mount, struct mnt_namespace *old, struct mnt_namespace *new)
{
	struct list_head *pos = old->list.next, *copy = new->list.next;
	while (list_entry(pos, struct mount, mnt_list) != mount) {
		pos = pos->next;
		copy = copy->next;
	}
	return list_entry(copy, struct mount, mnt_list);
}

/* Parents come before children in the list, so that each finds its parent's copy. */
int copy_tree(struct mnt_namespace *old, struct mnt_namespace *new)
{
	struct list_head *pos;
	list_for_each(pos, &old->list) {
		struct mount *mount = list_entry(pos, struct mount, mnt_list);
		struct mount *copy = clone_mnt(mount, mount->mnt.mnt_root), *parent;
		if (!copy)
			return -ENOMEM;
		if (mount == old->root) {
			copy->mnt_ns = new;
			new->root = copy;
			list_add_tail(&copy->mnt_list, &new->list);
			new->mounts++;
			continue;
		}
		parent = copy_of(mount->mnt_parent, old, new);
		mntget(&parent->mnt);
		dget(mount->mnt_mountpoint);
		_raw_spin_lock(&mount_lock);
		attach_mnt(copy, parent, mount->mnt_mountpoint, new);
		_raw_spin_unlock(&mount_lock);
	}
	return 0;
}

void put_mnt_ns(struct mnt_namespace *ns)
{
	if (!atomic_dec_and_test(&ns->count))
		return;
	mutex_lock(&namespace_sem);
	while (ns->root && !list_empty(&ns->root->mnt_mounts))
		umount_tree(list_first_entry(&ns->root->mnt_mounts, struct mount, mnt_child));
	if (ns->root) {
		list_del_init(&ns->root->mnt_list);
		mntput(&ns->root->mnt);
	}
	mutex_unlock(&namespace_sem);
	kfree(ns);
}

/* A namespace that has the same mounts, and from now on mounts of its own. */
struct mnt_namespace *copy_mnt_ns(struct mnt_namespace *old)
{
	struct mnt_namespace *new = kzalloc(sizeof(*new), GFP_KERNEL);
	int error;
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->ns.inum = __atomic_sub_fetch(&mnt_ns_inums, 1, __ATOMIC_SEQ_CST);
	atomic_set(&new->count, 1);
	INIT_LIST_HEAD(&new->list);
	mutex_lock(&namespace_sem);
	error = copy_tree(old, new);
	mutex_unlock(&namespace_sem);
	if (!error)
		return new;
	put_mnt_ns(new);
	return ERR_PTR(error);
}

/* A string of the program's, of which there may be none. */
char *copy_mount_string(const char *user)
{
	char text[PATH_MAX];
	long n;
	if (!user)
		return NULL;
	n = strncpy_from_user(text, user, PATH_MAX);
	if (n < 0 || n == PATH_MAX)
		return ERR_PTR(n < 0 ? n : -EINVAL);
	return kstrdup(text);
}

/* Flags in the lower half, the number of the task's namespace in the upper. */
u64 flags_and_ns(u64 flags) { return (u64)current->nsproxy->mnt_ns->ns.inum << 32 | (u32)flags; }

/* Source, target, type and data, tabs between them, as the journal has them. */
void journal_mount(const char *const *parts, const char *user_dir, unsigned long flags, long error)
{
	char text[PATH_MAX + 40], dir[PATH_MAX / 2];
	size_t n = 0;
	int i;
	if (strncpy_from_user(dir, user_dir, sizeof(dir)) < 0)
		dir[0] = 0;
	dir[sizeof(dir) - 1] = 0;
	for (i = 0; i < 4; i++) {
		const char *part = i == 1 ? dir : parts[i] ? parts[i] : "";
		n += strscpy(text + n, part, sizeof(text) - n);
		if (i < 3 && n < sizeof(text) - 1)
			text[n++] = '\t';
	}
	text[n] = 0;
	journal(J_MOUNT, pid_tgid(current), (u64)text, flags_and_ns(flags), (u64)error);
}

long __x64_sys_mount(const struct pt_regs *regs)
{
	const char *dir = (const char *)regs->si;
	char *parts[4] = {
		copy_mount_string((const char *)regs->di),
		NULL,
		copy_mount_string((const char *)regs->dx),
		copy_mount_string((const char *)regs->r8),
	};
	long error = 0;
	int i;
	for (i = 0; i < 4; i++) {
		if (!IS_ERR(parts[i]))
			continue;
		error = PTR_ERR(parts[i]);
		parts[i] = NULL;
	}
	if (!error)
		error = do_mount(parts[0], dir, parts[2], regs->r10, parts[3]);
	journal_mount((const char *const *)parts, dir, regs->r10, error);
	for (i = 0; i < 4; i++)
		kfree(parts[i]);
	return error;
}

long __x64_sys_umount(const struct pt_regs *regs)
{
	const char *user = (const char *)regs->di;
	char name[PATH_MAX];
	long error = ksys_umount(user, (int)regs->si), n = strncpy_from_user(name, user, PATH_MAX);
	if (n >= 0 && n < PATH_MAX)
		journal(J_UMOUNT, pid_tgid(current), (u64)name, flags_and_ns(regs->si), (u64)error);
	return error;
}
