/*
 * The disk file system. Its first block names the files it starts out with and where their data is; from then
 * on names live in memory and data on the disk. fsync writes a record of the inode to the journal blocks.
 */
#include "blk.h"
#include "fs.h"
#include "uapi.h"

#define DISK_MAGIC 0x73666b73u
#define JOURNAL_START 1
#define JOURNAL_BLOCKS 15
#define BLOCKS_MAX 16384u

struct disk_entry {
	char path[40];
	u32 mode;
	u32 size;
	u32 start_block;
	u32 reserved;
};

struct disk_super {
	u32 magic;
	u32 entries;
	u32 first_free_block;
	/* Where the names go on that the first block has no room for. */
	u32 more_block;
	struct disk_entry entry[];
};

static const struct super_operations ext4_sops = { .evict_inode = ext4_evict_inode };
struct super_block root_sb;
struct mount root_mount;
static struct backing_dev_info root_bdi = { .id = 1, .dev_name = "253:0" };
struct bdi_writeback root_wb = { .bdi = &root_bdi };
static u64 block_bitmap[BLOCKS_MAX / 64];
static u32 block_hint;
static spinlock_t group_lock;
static volatile u32 journal_head;

bool mb_test_bit(u32 block) { return block_bitmap[block / 64] >> block % 64 & 1; }

void mb_mark_used(u32 block) { block_bitmap[block / 64] |= 1UL << block % 64; }

u32 ext4_mb_find_by_goal(u32 goal)
{
	u32 i;
	for (i = 0; i < BLOCKS_MAX; i++) {
		u32 block = (goal + i) % BLOCKS_MAX;
		if (block && !mb_test_bit(block))
			return block;
	}
	return 0;
}

/* A free block at or after the goal, marked used; 0 if the disk is full. */
u32 ext4_mb_new_blocks(u32 goal)
{
	u32 block;
	_raw_spin_lock(&group_lock);
	block = ext4_mb_find_by_goal(goal ? goal : block_hint);
	if (block) {
		mb_mark_used(block);
		block_hint = block + 1;
	}
	_raw_spin_unlock(&group_lock);
	return block;
}

void ext4_free_blocks(u32 block)
{
	_raw_spin_lock(&group_lock);
	block_bitmap[block / 64] &= ~(1UL << block % 64);
	_raw_spin_unlock(&group_lock);
}

/* Block 0 is a hole. The page at `index` is locked, or nobody else knows the inode. */
int ext4_map_blocks(struct inode *inode, unsigned long index, bool create, u32 *block)
{
	*block = 0;
	if (index >= MAX_FILE_PAGES)
		return -EFBIG;
	if (!inode->i_block)
		return -EINVAL;
	*block = inode->i_block[index];
	if (*block || !create)
		return 0;
	*block = ext4_mb_new_blocks(index ? inode->i_block[index - 1] + (inode->i_block[index - 1] != 0) : 0);
	if (!*block)
		return -ENOSPC;
	inode->i_block[index] = *block;
	__atomic_add_fetch(&inode->i_blocks, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* A one-page transfer outside of any file. */
int ext4_rw_block(u32 block, void *buffer, blk_opf_t opf)
{
	struct bio *bio = bio_alloc(root_sb.s_bdev, opf, GFP_KERNEL);
	int error;
	if (!bio)
		return -ENOMEM;
	bio->bi_iter.bi_sector = (sector_t)block * (PAGE_SIZE >> SECTOR_SHIFT);
	bio->bi_iter.bi_size = PAGE_SIZE;
	bio->bi_phys = __pa(buffer);
	error = submit_bio_wait(bio);
	bio_put(bio);
	return error;
}

/* Writes the inode to the next journal block: what makes an fsync more than its data. */
int ext4_force_commit(struct inode *inode)
{
	u32 block = JOURNAL_START + __atomic_fetch_add(&journal_head, 1, __ATOMIC_SEQ_CST) % JOURNAL_BLOCKS;
	u64 *record = (u64 *)get_zeroed_page(GFP_KERNEL);
	int error;
	if (!record)
		return -ENOMEM;
	record[0] = inode->i_ino;
	record[1] = (u64)inode->i_size;
	record[2] = inode->i_blocks;
	if (inode->i_block)
		memcpy(record + 8, inode->i_block, PAGE_SIZE / 2);
	error = ext4_rw_block(block, record, REQ_OP_WRITE | REQ_SYNC);
	free_page((unsigned long)record);
	return error;
}

void ext4_dir_changed(struct inode *dir, long bytes);

/* Adds one name of the first block, creating the inode it stands for. */
void ext4_load_entry(struct super_block *sb, const struct disk_entry *entry)
{
	struct filename *name = getname_kernel(entry->path);
	struct nameidata nd = { .name = name };
	struct dentry *dentry;
	struct inode *inode;
	u32 i;
	if (IS_ERR(name) || filename_parentat(AT_FDCWD, name, &nd))
		panic("the disk's first block is broken");
	dentry = d_alloc(nd.path.dentry, &nd.last);
	inode = ext4_iget(sb, (umode_t)entry->mode);
	if (!dentry || !inode)
		panic("out of memory at mount");
	inode->i_size = entry->size;
	for (i = 0; i < (entry->size + PAGE_SIZE - 1) >> PAGE_SHIFT; i++) {
		u32 block;
		if (ext4_map_blocks(inode, i, true, &block))
			panic("the disk is full at mount");
		inode->i_block[i] = entry->start_block + i;
	}
	d_add(dentry, inode);
	nd.path.dentry->d_inode->i_nlink += S_ISDIR(entry->mode);
	ext4_dir_changed(nd.path.dentry->d_inode, 8 + dentry->d_name.len);
	dput(dentry);
	path_put(&nd.path);
	putname(name);
}

#define ENTRIES_FIRST ((PAGE_SIZE - sizeof(struct disk_super)) / sizeof(struct disk_entry))
#define ENTRIES_MORE (PAGE_SIZE / sizeof(struct disk_entry))
#define ENTRIES_MAX 400

/* Names that the first block has no room for. */
int ext4_load_more(struct super_block *sb, u32 block, u32 count)
{
	struct disk_entry *entry = (struct disk_entry *)get_zeroed_page(GFP_KERNEL);
	u32 i;
	for (i = 0; i < count; i++) {
		if (i % ENTRIES_MORE == 0 && (!entry || ext4_rw_block(block + i / (u32)ENTRIES_MORE, entry, REQ_OP_READ)))
			return -EIO;
		ext4_load_entry(sb, &entry[i % ENTRIES_MORE]);
	}
	free_page((unsigned long)entry);
	return 0;
}

int ext4_fill_super(struct super_block *sb)
{
	struct disk_super *disk = (struct disk_super *)get_zeroed_page(GFP_KERNEL);
	int error = 0;
	u32 i;
	if (!disk || ext4_rw_block(0, disk, REQ_OP_READ))
		return -EIO;
	if (disk->magic != DISK_MAGIC || disk->entries > ENTRIES_MAX)
		return -EINVAL;
	for (i = 0; i < disk->first_free_block && i < BLOCKS_MAX; i++)
		mb_mark_used(i);
	block_hint = disk->first_free_block;
	for (i = 0; i < disk->entries && i < ENTRIES_FIRST; i++)
		ext4_load_entry(sb, &disk->entry[i]);
	if (disk->entries > ENTRIES_FIRST)
		error = ext4_load_more(sb, disk->more_block, disk->entries - (u32)ENTRIES_FIRST);
	free_page((unsigned long)disk);
	return error;
}

/* There is one disk: whoever mounts it gets the same file system. */
struct dentry *ext4_mount(struct file_system_type *type, int flags, const char *dev_name, void *data)
{
	static const char disk[] = "/dev/vda";
	(void)flags;
	(void)data;
	if (!dev_name || strlen(dev_name) != strlen(disk) || memcmp(dev_name, disk, sizeof(disk)))
		return ERR_PTR(-ENOENT);
	atomic_inc(&root_sb.s_active);
	root_sb.s_type = type;
	return dget(root_sb.s_root);
}

void ext4_kill_sb(struct super_block *sb) { (void)sb; }

struct file_system_type ext4_fs_type = {
	.name = "ext4",
	.fs_flags = FS_REQUIRES_DEV,
	.mount = ext4_mount,
	.kill_sb = ext4_kill_sb,
};

/* The names of the disk are put below the root, which therefore has to be there first. */
void mount_root(void)
{
	static const struct qstr root_name = { .name = (const unsigned char *)"/", .len = 1 };
	register_filesystem(&ext4_fs_type);
	root_sb.s_type = &ext4_fs_type;
	root_sb.s_op = &ext4_sops;
	root_sb.s_bdev = vda;
	root_sb.s_bdi = &root_bdi;
	root_sb.s_dev = vda->bd_dev;
	root_sb.s_blocksize = PAGE_SIZE;
	root_sb.s_magic = 0xef53;
	root_sb.s_next_ino = 1;
	atomic_set(&root_sb.s_active, 1);
	strscpy(root_sb.s_id, "vda", sizeof(root_sb.s_id));
	INIT_LIST_HEAD(&root_sb.s_inodes);
	root_sb.s_root = d_alloc(NULL, &root_name);
	d_add(root_sb.s_root, ext4_iget(&root_sb, S_IFDIR | 0755));
	root_mount.mnt.mnt_sb = &root_sb;
	root_mount.mnt.mnt_root = root_mount.mnt_mountpoint = root_sb.s_root;
	root_mount.mnt_parent = &root_mount;
	root_mount.mnt_devname = "/dev/vda";
	mnt_init();
	if (ext4_fill_super(&root_sb))
		panic("cannot mount the root file system");
}
