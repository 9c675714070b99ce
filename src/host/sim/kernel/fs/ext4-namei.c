/* Names of the disk file system: look up, create, unlink, mkdir; inodes made and dropped. */
#include "fs.h"
#include "uapi.h"

/* Operations by type; devices know nothing of disks. */
void ext4_set_ops(struct inode *inode)
{
	umode_t type = inode->i_mode & S_IFMT;
	if (type == S_IFREG)
		inode->i_fop = &ext4_file_operations;
	else if (type == S_IFCHR)
		inode->i_fop = &tty_fops;
	else
		inode->i_fop = &ext4_dir_operations;
}

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

struct inode *ext4_lookup(struct inode *dir, struct dentry *dentry)
{
	if ((dir->i_mode & S_IFMT) != S_IFDIR)
		return NULL;
	return ext4_find_entry(dentry->d_parent, &dentry->d_name);
}

int ext4_add_entry(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct inode *inode = ext4_new_inode(dir, mode);
	if (!inode)
		return -ENOMEM;
	dir->i_mtime = ktime_get();
	dir->i_size += 8 + dentry->d_name.len;
	d_add(dentry, inode);
	return 0;
}

int ext4_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	if ((dir->i_mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	return ext4_add_entry(dir, dentry, mode);
}

int ext4_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	int error = ext4_add_entry(dir, dentry, mode);
	if (error)
		return error;
	dir->i_nlink++;
	return 0;
}

int __ext4_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	if (!inode->i_nlink)
		return -ENOENT;
	inode->i_nlink--;
	dir->i_mtime = inode->i_mtime = ktime_get();
	dir->i_size -= 8 + dentry->d_name.len;
	return 0;
}

int ext4_unlink(struct inode *dir, struct dentry *dentry)
{
	int error;
	trace(ext4_unlink_enter, dir, dentry);
	error = __ext4_unlink(dir, dentry);
	trace(ext4_unlink_exit, dentry, error);
	if (!error)
		d_delete(dentry);
	return error;
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
	free_page((unsigned long)inode->i_block);
	free_page((unsigned long)inode->i_data.i_pages);
}
