/* File systems that nobody mounts, and whose inodes no name leads to. */
#include "fs.h"
#include "uapi.h"

void init_pseudo(struct pseudo_fs *fs, const char *name, unsigned long magic)
{
	static const struct qstr root_name = { .name = (const unsigned char *)"/", .len = 1 };
	static volatile unsigned int minors;
	struct super_block *sb = &fs->sb;
	sb->s_dev = __atomic_add_fetch(&minors, 1, __ATOMIC_SEQ_CST);
	sb->s_blocksize = PAGE_SIZE;
	sb->s_magic = magic;
	strscpy(sb->s_id, name, sizeof(sb->s_id));
	INIT_LIST_HEAD(&sb->s_inodes);
	sb->s_root = d_alloc(NULL, &root_name);
	d_add(sb->s_root, new_inode(sb, S_IFDIR | 0600));
	fs->mount.mnt.mnt_sb = sb;
	fs->mount.mnt.mnt_root = fs->mount.mnt_mountpoint = sb->s_root;
	fs->mount.mnt_parent = &fs->mount;
	fs->mount.mnt_devname = name;
}
