/* Names of the disk file system: look up, create, unlink, mkdir; inodes made and dropped. */
#include "fs.h"
#include "uapi.h"

void ext4_set_ops(struct inode *inode);

/* A new inode; a regular file gets the page that says where its blocks are. */
struct inode *ext4_iget(struct super_block *sb, umode_t mode)
{
	struct inode *inode = new_inode(sb, mode);
	if (!inode)
		return NULL;
	ext4_set_ops(inode);
	if ((mode & S_IFMT) != S_IFREG)
		return inode;
	inode->i_block = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (inode->i_block)
		return inode;
	iput(inode);
	return NULL;
}

/* An inode for a new name in `dir`. */
struct inode *ext4_new_inode(struct inode *dir, umode_t mode)
{
	struct inode *inode;
	trace(ext4_request_inode, dir, mode);
	inode = ext4_iget(dir->i_sb, mode);
	if (inode)
		trace(ext4_allocate_inode, inode, dir, mode);
	return inode;
}

/* Compares the name with every entry of the directory. The inode found comes with a reference. */
struct inode *ext4_find_entry(struct dentry *dir, const struct qstr *name)
{
	struct list_head *pos;
	list_for_each(pos, &dir->d_subdirs) {
		struct dentry *child = list_entry(pos, struct dentry, d_child);
		if (child->d_name.len != name->len)
			continue;
		if (!memcmp(child->d_name.name, name->name, name->len)) {
			atomic_inc(&child->d_inode->i_count);
			return child->d_inode;
		}
	}
	return NULL;
}

struct dentry *ext4_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	(void)dir;
	(void)flags;
	d_add(dentry, ext4_find_entry(dentry->d_parent, &dentry->d_name));
	return NULL;
}

void ext4_dir_changed(struct inode *dir, long bytes)
{
	dir->i_mtime = ktime_get();
	dir->i_size += bytes;
}

#define EXT4_DIR_REC_LEN(dentry) (long)(8 + (dentry)->d_name.len)

struct inode *ext4_add_entry(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct inode *inode = ext4_new_inode(dir, mode);
	if (!inode)
		return NULL;
	ext4_dir_changed(dir, EXT4_DIR_REC_LEN(dentry));
	d_add(dentry, inode);
	return inode;
}

int ext4_create(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode, bool excl)
{
	(void)mnt_userns;
	(void)excl;
	return ext4_add_entry(dir, dentry, mode) ? 0 : -ENOMEM;
}

int ext4_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	(void)mnt_userns;
	if (!ext4_add_entry(dir, dentry, mode))
		return -ENOMEM;
	dir->i_nlink++;
	return 0;
}

int ext4_symlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, const char *symname)
{
	char *text = kstrdup(symname);
	struct inode *inode = text ? ext4_add_entry(dir, dentry, S_IFLNK | 0777) : NULL;
	(void)mnt_userns;
	if (!inode) {
		kfree(text);
		return -ENOMEM;
	}
	inode->i_link = text;
	inode->i_size = (loff_t)strlen(text);
	return 0;
}

int ext4_link(struct dentry *old_dentry, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = old_dentry->d_inode;
	inode->i_nlink++;
	atomic_inc(&inode->i_count);
	ext4_dir_changed(dir, EXT4_DIR_REC_LEN(dentry));
	d_add(dentry, inode);
	return 0;
}

int __ext4_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	if (!inode->i_nlink)
		return -ENOENT;
	inode->i_nlink--;
	inode->i_mtime = ktime_get();
	ext4_dir_changed(dir, -EXT4_DIR_REC_LEN(dentry));
	return 0;
}

int ext4_unlink(struct inode *dir, struct dentry *dentry)
{
	int error;
	trace(ext4_unlink_enter, dir, dentry);
	error = __ext4_unlink(dir, dentry);
	trace(ext4_unlink_exit, dentry, error);
	return error;
}

int ext4_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!list_empty(&dentry->d_subdirs))
		return -ENOTEMPTY;
	dentry->d_inode->i_nlink = 0;
	dir->i_nlink--;
	ext4_dir_changed(dir, -EXT4_DIR_REC_LEN(dentry));
	return 0;
}

/* What lies at the new name loses it; the names themselves are moved by who calls. */
int ext4_rename(struct user_namespace *mnt_userns, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		struct dentry *new, unsigned int flags)
{
	bool directory = S_ISDIR(old->d_inode->i_mode);
	int error = 0;
	(void)mnt_userns;
	(void)flags;
	if (new->d_inode)
		error = directory ? ext4_rmdir(new_dir, new) : __ext4_unlink(new_dir, new);
	if (error)
		return error;
	ext4_dir_changed(old_dir, -EXT4_DIR_REC_LEN(old));
	ext4_dir_changed(new_dir, EXT4_DIR_REC_LEN(new));
	if (directory) {
		old_dir->i_nlink--;
		new_dir->i_nlink++;
	}
	return 0;
}

void ext4_free_blocks(u32 block);

/* Gives all blocks back and empties the page cache. */
void ext4_truncate(struct inode *inode)
{
	unsigned int i;
	trace(ext4_truncate_enter, inode);
	truncate_inode_pages(inode->i_mapping);
	inode->i_size = 0;
	inode->i_blocks = 0;
	for (i = 0; inode->i_block && i < MAX_FILE_PAGES; i++) {
		if (!inode->i_block[i])
			continue;
		ext4_free_blocks(inode->i_block[i]);
		inode->i_block[i] = 0;
	}
	trace(ext4_truncate_exit, inode);
}

void ext4_evict_inode(struct inode *inode)
{
	trace(ext4_evict_inode, inode);
	if (inode->i_nlink)
		filemap_fdatawrite(inode->i_mapping, true);
	ext4_truncate(inode);
	kfree(inode->i_link);
	free_page((unsigned long)inode->i_block);
	free_page((unsigned long)inode->i_data.i_pages);
}

const struct inode_operations ext4_dir_inode_operations = {
	.lookup = ext4_lookup,
	.create = ext4_create,
	.link = ext4_link,
	.unlink = ext4_unlink,
	.symlink = ext4_symlink,
	.mkdir = ext4_mkdir,
	.rmdir = ext4_rmdir,
	.rename = ext4_rename,
};
const struct inode_operations ext4_file_inode_operations = { .truncate = ext4_truncate };

/* Operations by type; devices know nothing of disks. */
void ext4_set_ops(struct inode *inode)
{
	umode_t type = inode->i_mode & S_IFMT;
	if (type == S_IFREG) {
		inode->i_op = &ext4_file_inode_operations;
		inode->i_fop = &ext4_file_operations;
		inode->i_data.a_ops = &ext4_aops;
	} else if (type == S_IFCHR) {
		inode->i_fop = &tty_fops;
	} else if (type == S_IFDIR) {
		inode->i_op = &ext4_dir_inode_operations;
		inode->i_fop = &ext4_dir_operations;
	}
}
