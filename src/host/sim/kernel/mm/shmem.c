/* tmpfs: files that are nowhere but in the page cache, and directories that are nothing but their dentries. */
#include "fs.h"
#include "uapi.h"

#define TMPFS_MAGIC 0x01021994

void clear_page(void *page);
void set_page_flag(struct page *page, u32 flag);

static const struct inode_operations shmem_dir_inode_operations, shmem_inode_operations;
static const struct address_space_operations shmem_aops;
static const struct file_operations shmem_dir_operations;

struct inode *shmem_get_inode(struct super_block *sb, umode_t mode)
{
	struct inode *inode = new_inode(sb, mode);
	if (!inode)
		return NULL;
	inode->i_data.a_ops = &shmem_aops;
	if (S_ISDIR(mode)) {
		inode->i_op = &shmem_dir_inode_operations;
		inode->i_fop = &shmem_dir_operations;
	} else if (S_ISREG(mode)) {
		inode->i_op = &shmem_inode_operations;
		inode->i_fop = &shmem_file_operations;
	}
	return inode;
}

int shmem_mknod(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct inode *inode = shmem_get_inode(dir->i_sb, mode);
	(void)mnt_userns;
	if (!inode)
		return -ENOSPC;
	dir->i_mtime = ktime_get();
	d_add(dentry, inode);
	return 0;
}

int shmem_create(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode, bool excl)
{
	(void)excl;
	return shmem_mknod(mnt_userns, dir, dentry, mode);
}

int shmem_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	int error = shmem_mknod(mnt_userns, dir, dentry, mode);
	if (!error)
		dir->i_nlink++;
	return error;
}

int shmem_symlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, const char *symname)
{
	char *text = kstrdup(symname);
	int error = text ? shmem_mknod(mnt_userns, dir, dentry, S_IFLNK | 0777) : -ENOMEM;
	if (error) {
		kfree(text);
		return error;
	}
	dentry->d_inode->i_link = text;
	dentry->d_inode->i_size = (loff_t)strlen(text);
	return 0;
}

/* Pages that nobody has written yet are zeros. */
void shmem_readahead(struct readahead_control *rac)
{
	unsigned int i;
	for (i = 0; i < rac->_nr_pages; i++) {
		struct page *page = find_get_page(rac->mapping, rac->_index + i);
		if (!page)
			continue;
		clear_page(page_address(page));
		set_page_flag(page, PG_uptodate);
		unlock_page(page);
		put_page(page);
	}
}

/* The locked page a write goes to. */
struct page *shmem_write_begin(struct address_space *mapping, loff_t pos, size_t len)
{
	unsigned long index = (u64)pos >> PAGE_SHIFT;
	struct page *page;
	bool created;
	(void)len;
	if (index >= MAX_FILE_PAGES)
		return ERR_PTR(-EFBIG);
	page = grab_cache_page(mapping, index, &created);
	if (!page)
		return ERR_PTR(-ENOSPC);
	if (!created)
		lock_page(page);
	if (!(page->flags & PG_uptodate)) {
		clear_page(page_address(page));
		set_page_flag(page, PG_uptodate);
	}
	return page;
}

/* The page stays dirty for ever: there is nowhere it could be written to. */
void shmem_write_end(struct inode *inode, struct page *page, loff_t pos, size_t len, size_t copied)
{
	(void)len;
	if (copied) {
		if (!(__atomic_fetch_or(&page->flags, PG_dirty, __ATOMIC_SEQ_CST) & PG_dirty))
			__atomic_add_fetch(&inode->i_mapping->nrdirty, 1, __ATOMIC_SEQ_CST);
		if (pos + (loff_t)copied > inode->i_size)
			WRITE_ONCE(inode->i_size, pos + (loff_t)copied);
		inode->i_mtime = ktime_get();
	}
	unlock_page(page);
	put_page(page);
}

static const struct address_space_operations shmem_aops = {
	.readahead = shmem_readahead,
	.write_begin = shmem_write_begin,
	.write_end = shmem_write_end,
};

ssize_t shmem_file_read_iter(struct kiocb *iocb, struct iov_iter *iter) { return generic_file_read_iter(iocb, iter); }

ssize_t shmem_file_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = iocb->ki_filp->f_inode;
	ssize_t ret;
	inode_lock(inode);
	if (iocb->ki_filp->f_flags & O_APPEND)
		iocb->ki_pos = inode->i_size;
	ret = generic_perform_write(iocb, iter);
	inode_unlock(inode);
	return ret;
}

void shmem_truncate(struct inode *inode)
{
	truncate_inode_pages(inode->i_mapping);
	inode->i_size = 0;
}

void shmem_evict_inode(struct inode *inode)
{
	truncate_inode_pages(inode->i_mapping);
	kfree(inode->i_link);
	free_page((unsigned long)inode->i_data.i_pages);
}

const struct file_operations shmem_file_operations = {
	.read_iter = shmem_file_read_iter,
	.write_iter = shmem_file_write_iter,
	.fsync = noop_fsync,
};
static const struct file_operations shmem_dir_operations = { .iterate_shared = dcache_readdir, .fsync = noop_fsync };
static const struct inode_operations shmem_inode_operations = { .truncate = shmem_truncate };
static const struct inode_operations shmem_dir_inode_operations = {
	.lookup = simple_lookup,
	.create = shmem_create,
	.link = simple_link,
	.unlink = simple_unlink,
	.symlink = shmem_symlink,
	.mkdir = shmem_mkdir,
	.rmdir = simple_rmdir,
	.rename = simple_rename,
};
static const struct super_operations shmem_ops = { .evict_inode = shmem_evict_inode };

struct dentry *shmem_mount(struct file_system_type *type, int flags, const char *dev_name, void *data)
{
	static const struct qstr root_name = { .name = (const unsigned char *)"/", .len = 1 };
	struct super_block *sb = alloc_super(type, &shmem_ops, TMPFS_MAGIC);
	(void)flags;
	(void)dev_name;
	(void)data;
	if (!sb)
		return ERR_PTR(-ENOMEM);
	sb->s_root = d_alloc(NULL, &root_name);
	if (sb->s_root)
		d_add(sb->s_root, shmem_get_inode(sb, S_IFDIR | 01777));
	if (sb->s_root && sb->s_root->d_inode)
		return dget(sb->s_root);
	kill_litter_super(sb);
	return ERR_PTR(-ENOMEM);
}

static struct file_system_type shmem_fs_type = {
	.name = "tmpfs",
	.mount = shmem_mount,
	.kill_sb = kill_litter_super,
};

void shmem_init(void) { register_filesystem(&shmem_fs_type); }
