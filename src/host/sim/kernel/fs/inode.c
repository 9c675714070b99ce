/* Inodes. */
#include "fs.h"

static struct kmem_cache inode_cachep;

struct inode *alloc_inode(struct super_block *sb)
{
	struct inode *inode;
	if (!inode_cachep.size)
		kmem_cache_create(&inode_cachep, "ext4_inode_cache", sizeof(struct inode));
	inode = kmem_cache_alloc(&inode_cachep, GFP_KERNEL);
	if (!inode)
		return NULL;
	memset(inode, 0, sizeof(*inode));
	inode->i_sb = sb;
	inode->i_mapping = &inode->i_data;
	inode->i_data.host = inode;
	atomic_set(&inode->i_count, 1);
	init_rwsem(&inode->i_rwsem);
	INIT_LIST_HEAD(&inode->i_sb_list);
	return inode;
}

/* Numbers of inodes that are on no disk; they begin behind those that disks here have. */
unsigned int get_next_ino(void)
{
	static volatile unsigned int last_ino = 0x10000;
	return __atomic_add_fetch(&last_ino, 1, __ATOMIC_SEQ_CST);
}

void inode_sb_list_add(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	_raw_spin_lock(&sb->s_inode_list_lock);
	if (sb->s_next_ino)
		inode->i_ino = ++sb->s_next_ino;
	else
		inode->i_ino = get_next_ino();
	list_add_tail(&inode->i_sb_list, &sb->s_inodes);
	_raw_spin_unlock(&sb->s_inode_list_lock);
}

struct inode *new_inode(struct super_block *sb, umode_t mode)
{
	struct inode *inode = alloc_inode(sb);
	if (!inode)
		return NULL;
	inode->i_mode = mode;
	inode->i_nlink = (mode & S_IFMT) == S_IFDIR ? 2 : 1;
	inode->i_uid = current->cred->fsuid;
	inode->i_gid = current->cred->fsgid;
	inode->i_mtime = ktime_get();
	inode_sb_list_add(inode);
	return inode;
}

void evict(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	_raw_spin_lock(&sb->s_inode_list_lock);
	list_del_init(&inode->i_sb_list);
	_raw_spin_unlock(&sb->s_inode_list_lock);
	if (sb->s_op && sb->s_op->evict_inode)
		sb->s_op->evict_inode(inode);
	kmem_cache_free(&inode_cachep, inode);
}

/* The last reference of a file without names takes its blocks along. */
void iput(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	bool last;
	_raw_spin_lock(&sb->s_inode_list_lock);
	last = atomic_dec_and_test(&inode->i_count);
	_raw_spin_unlock(&sb->s_inode_list_lock);
	if (last)
		evict(inode);
}
