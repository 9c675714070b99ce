/* What file systems without a disk have in common: directories that are nothing but their dentries, and no names at all. */
#include "fs.h"
#include "uapi.h"

void init_pseudo(struct pseudo_fs *fs, const char *name, unsigned long magic)
{
	static const struct qstr root_name = { .name = (const unsigned char *)"/", .len = 1 };
	struct super_block *sb = &fs->sb;
	sb->s_dev = get_anon_bdev();
	sb->s_blocksize = PAGE_SIZE;
	sb->s_magic = magic;
	strscpy(sb->s_id, name, sizeof(sb->s_id));
	INIT_LIST_HEAD(&sb->s_inodes);
	sb->s_root = d_alloc(NULL, &root_name);
	d_add(sb->s_root, new_inode(sb, S_IFDIR | 0600));
	fs->mount.mnt.mnt_sb = sb;
	fs->mount.mnt.mnt_root = fs->mount.mnt_mountpoint = sb->s_root;
	fs->mount.mnt_parent = &fs->mount;
	atomic_set(&fs->mount.mnt_count, 1);
	fs->mount.mnt_devname = name;
}

char *kstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size, GFP_KERNEL);
	if (copy)
		memcpy(copy, s, size);
	return copy;
}

/* All names there are have dentries: one that is not found does not exist. */
struct dentry *simple_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	(void)dir;
	(void)flags;
	d_add(dentry, NULL);
	return NULL;
}

int simple_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	dir->i_mtime = ktime_get();
	old->d_inode->i_nlink++;
	atomic_inc(&old->d_inode->i_count);
	d_add(dentry, old->d_inode);
	return 0;
}

int simple_unlink(struct inode *dir, struct dentry *dentry)
{
	dir->i_mtime = dentry->d_inode->i_mtime = ktime_get();
	dentry->d_inode->i_nlink--;
	return 0;
}

int simple_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!list_empty(&dentry->d_subdirs))
		return -ENOTEMPTY;
	dir->i_mtime = ktime_get();
	dentry->d_inode->i_nlink = 0;
	dir->i_nlink--;
	return 0;
}

int simple_rename(struct user_namespace *ns, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		  struct dentry *new, unsigned int flags)
{
	bool directory = S_ISDIR(old->d_inode->i_mode);
	int error = 0;
	(void)ns;
	(void)flags;
	if (new->d_inode)
		error = directory ? simple_rmdir(new_dir, new) : simple_unlink(new_dir, new);
	if (error)
		return error;
	old_dir->i_mtime = new_dir->i_mtime = ktime_get();
	if (directory) {
		old_dir->i_nlink--;
		new_dir->i_nlink++;
	}
	return 0;
}

bool dir_emit(struct dir_context *ctx, const struct dentry *dentry, const char *name, int len, loff_t next)
{
	const struct inode *inode = dentry->d_inode;
	if (!ctx->actor(ctx, name, len, next, inode->i_ino, inode->i_mode >> 12 & 15))
		return false;
	ctx->pos = next;
	return true;
}

/* "." and "..", then the names in the order in which they came, each at its cookie. The directory is locked. */
int dcache_readdir(struct file *file, struct dir_context *ctx)
{
	struct dentry *dir = file->f_path.dentry;
	struct list_head *pos;
	if (ctx->pos == 0 && !dir_emit(ctx, dir, ".", 1, 1))
		return 0;
	if (ctx->pos == 1 && !dir_emit(ctx, dir->d_parent, "..", 2, 2))
		return 0;
	list_for_each(pos, &dir->d_subdirs) {
		struct dentry *child = list_entry(pos, struct dentry, d_child);
		if (child->d_cookie < ctx->pos || !child->d_inode)
			continue;
		if (!dir_emit(ctx, child, (const char *)child->d_name.name, (int)child->d_name.len, child->d_cookie + 1))
			return 0;
	}
	return 0;
}

int noop_fsync(struct file *file, loff_t start, loff_t end)
{
	(void)file;
	(void)start;
	(void)end;
	return 0;
}
