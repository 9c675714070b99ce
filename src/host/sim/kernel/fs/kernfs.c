/* The file system of control groups: a directory for each, with files that the kernel itself answers. */
#include "cgroup.h"
#include "uapi.h"

#define CGROUP2_SUPER_MAGIC 0x63677270
#define LINE_MAX 24

int cgroup_procs_write(struct cgroup *cgrp, pid_t pid);
int path_mount(const char *dev_name, struct path *path, const char *type, unsigned long flags, void *data);
struct dentry *filename_create(int dfd, struct filename *name, struct nameidata *nd);
void done_path(struct nameidata *nd, struct dentry *dentry);
int vfs_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode);

static const struct inode_operations kernfs_dir_iops;
static const struct file_operations kernfs_dir_fops, kernfs_file_fops;
static const struct super_operations kernfs_sops;
static struct super_block *cgroup2_sb;

size_t number_line(char *to, u64 value)
{
	char digits[LINE_MAX];
	size_t n = 0, length;
	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (length = 0; n; length++)
		to[length] = digits[--n];
	to[length++] = '\n';
	return length;
}

/* The group whose directory a file lies in. */
struct cgroup *kernfs_cgroup(const struct file *file) { return ((struct kernfs_node *)file->f_inode->i_private)->priv; }

size_t kernfs_show(const struct file *file, char *text, size_t size)
{
	const struct kernfs_node *kn = file->f_inode->i_private;
	static const char descendants[] = "nr_descendants ";
	struct cgroup *cgrp = kn->priv;
	size_t n;
	if (kn->mode & 0200)
		return cgroup_procs_show(cgrp, text, size);
	n = strscpy(text, descendants, size);
	return n + number_line(text + n, (u64)cgrp->nr_descendants);
}

ssize_t kernfs_fop_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct page *page = alloc_pages(GFP_KERNEL, 0);
	size_t size, bytes, copied;
	if (!page)
		return -ENOMEM;
	size = kernfs_show(iocb->ki_filp, page_address(page), PAGE_SIZE);
	bytes = (size_t)iocb->ki_pos < size ? min(iter->count, size - (size_t)iocb->ki_pos) : 0;
	copied = bytes ? copy_page_to_iter(page, (size_t)iocb->ki_pos, bytes, iter) : 0;
	put_page(page);
	iocb->ki_pos += (loff_t)copied;
	return copied < bytes ? -EFAULT : (ssize_t)copied;
}

/* A number and nothing but blanks behind it. */
int parse_pid(const char *text, pid_t *pid)
{
	long value = 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9' && value < 1 << 24; text++)
		value = value * 10 + (*text - '0');
	while (*text == '\n' || *text == ' ')
		text++;
	*pid = (pid_t)value;
	return *text ? -EINVAL : 0;
}

ssize_t kernfs_fop_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	const struct kernfs_node *kn = iocb->ki_filp->f_inode->i_private;
	size_t size = iter->count;
	char text[LINE_MAX];
	pid_t pid;
	int error;
	if (!(kn->mode & 0200) || size >= sizeof(text))
		return -EINVAL;
	if (iter->kernel)
		memcpy(text, iter->buf, size);
	else if (_copy_from_user(text, iter->buf, size))
		return -EFAULT;
	text[size] = 0;
	error = parse_pid(text, &pid);
	if (!error)
		error = iocb->ki_filp->f_inode->i_nlink ? cgroup_procs_write(kernfs_cgroup(iocb->ki_filp), pid) : -ENODEV;
	return error ? error : (ssize_t)size;
}

struct inode *kernfs_get_inode(struct super_block *sb, struct kernfs_node *kn)
{
	struct inode *inode = new_inode(sb, kn->mode);
	if (!inode)
		return NULL;
	inode->i_ino = kn->id;
	inode->i_private = kn;
	inode->i_op = S_ISDIR(kn->mode) ? &kernfs_dir_iops : NULL;
	inode->i_fop = S_ISDIR(kn->mode) ? &kernfs_dir_fops : &kernfs_file_fops;
	return inode;
}

int cgroup_add_file(struct dentry *dir, struct cgroup *cgrp, const char *name, umode_t mode)
{
	struct qstr this = { .name = (const unsigned char *)name, .len = (u32)strlen(name) };
	struct kernfs_node *kn = kernfs_new_node(cgrp->kn, name, (umode_t)(S_IFREG | mode), KERNFS_FILE);
	struct dentry *dentry;
	struct inode *inode;
	if (!kn)
		return -ENOMEM;
	kn->priv = cgrp;
	this.hash = full_name_hash(this.name, this.len);
	inode = kernfs_get_inode(dir->d_sb, kn);
	dentry = inode ? d_alloc(dir, &this) : NULL;
	if (!dentry) {
		if (inode)
			iput(inode);
		else
			kernfs_put(kn);
		return -ENOMEM;
	}
	d_add(dentry, inode);
	dput(dentry);
	return 0;
}

int css_populate_dir(struct dentry *dir, struct cgroup *cgrp)
{
	int error = cgroup_add_file(dir, cgrp, "cgroup.procs", 0644);
	return error ? error : cgroup_add_file(dir, cgrp, "cgroup.stat", 0444);
}

int kernfs_iop_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct cgroup *cgrp = cgroup_mkdir(dir->i_private, (const char *)dentry->d_name.name, mode);
	struct inode *inode;
	(void)mnt_userns;
	if (IS_ERR(cgrp))
		return (int)PTR_ERR(cgrp);
	inode = kernfs_get_inode(dir->i_sb, cgrp->kn);
	if (!inode) {
		cgroup_rmdir(cgrp->kn);
		return -ENOMEM;
	}
	dir->i_nlink++;
	d_add(dentry, inode);
	return css_populate_dir(dentry, cgrp);
}

/* Its files go with it. */
int kernfs_iop_rmdir(struct inode *dir, struct dentry *dentry)
{
	int error = cgroup_rmdir(dentry->d_inode->i_private);
	if (error)
		return error;
	while (!list_empty(&dentry->d_subdirs)) {
		struct dentry *child = dget(list_first_entry(&dentry->d_subdirs, struct dentry, d_child));
		child->d_inode->i_nlink = 0;
		d_delete(child);
		dput(child);
	}
	dentry->d_inode->i_nlink = 0;
	dir->i_nlink--;
	return 0;
}

/* Nodes of files go with their inodes, those of groups with the groups. */
void kernfs_evict_inode(struct inode *inode)
{
	struct kernfs_node *kn = inode->i_private;
	if (kn->flags == KERNFS_FILE)
		kernfs_put(kn);
}

static const struct file_operations kernfs_file_fops = {
	.read_iter = kernfs_fop_read_iter,
	.write_iter = kernfs_fop_write_iter,
};
static const struct file_operations kernfs_dir_fops = { .iterate_shared = dcache_readdir, .fsync = noop_fsync };
static const struct inode_operations kernfs_dir_iops = {
	.lookup = simple_lookup,
	.mkdir = kernfs_iop_mkdir,
	.rmdir = kernfs_iop_rmdir,
};
static const struct super_operations kernfs_sops = { .evict_inode = kernfs_evict_inode };

/* There is one hierarchy: whoever mounts it gets the same. */
struct dentry *cgroup_mount(struct file_system_type *type, int flags, const char *dev_name, void *data)
{
	(void)type;
	(void)flags;
	(void)dev_name;
	(void)data;
	atomic_inc(&cgroup2_sb->s_active);
	return dget(cgroup2_sb->s_root);
}

void cgroup_kill_sb(struct super_block *sb) { (void)sb; }

static struct file_system_type cgroup2_fs_type = { .name = "cgroup2", .mount = cgroup_mount, .kill_sb = cgroup_kill_sb };

/* A group that is there before any program runs. */
void cgroup_boot_group(const char *path)
{
	struct filename *name = getname_kernel(path);
	struct nameidata nd = { .name = name };
	struct dentry *dentry = filename_create(AT_FDCWD, name, &nd);
	if (IS_ERR(dentry) || vfs_mkdir(&init_user_ns, nd.path.dentry->d_inode, dentry, 0755))
		panic("cannot make the first control groups");
	done_path(&nd, dentry);
	putname(name);
}

/* Mounts the hierarchy where programs look for it, and puts init into a group of its own. */
void cgroup_fs_init(void)
{
	static const struct qstr root_name = { .name = (const unsigned char *)"/", .len = 1 };
	struct filename *name = getname_kernel("/sys/fs/cgroup");
	struct file *procs;
	struct path path;
	loff_t pos = 0;
	register_filesystem(&cgroup2_fs_type);
	cgroup2_sb = alloc_super(&cgroup2_fs_type, &kernfs_sops, CGROUP2_SUPER_MAGIC);
	cgroup2_sb->s_root = d_alloc(NULL, &root_name);
	d_add(cgroup2_sb->s_root, kernfs_get_inode(cgroup2_sb, cgrp_dfl_root.cgrp->kn));
	if (css_populate_dir(cgroup2_sb->s_root, cgrp_dfl_root.cgrp) ||
	    filename_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &path) || path_mount("cgroup2", &path, "cgroup2", 0, NULL))
		panic("cannot mount the control groups");
	path_put(&path);
	putname(name);
	cgroup_boot_group("/sys/fs/cgroup/init.scope");
	cgroup_boot_group("/sys/fs/cgroup/system.slice");
	cgroup_boot_group("/sys/fs/cgroup/user.slice");
	procs = filp_open("/sys/fs/cgroup/init.scope/cgroup.procs", O_WRONLY, 0);
	if (IS_ERR(procs) || kernel_write(procs, "0\n", 2, &pos) != 2)
		panic("cannot put init into its control group");
	filp_close(procs);
}
