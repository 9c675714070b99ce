/* Kinds of file systems, and the ones that are in use. */
#include "fs.h"
#include "uapi.h"

static struct file_system_type *file_systems;
static struct kmem_cache super_cachep;

void register_filesystem(struct file_system_type *fs)
{
	fs->next = file_systems;
	file_systems = fs;
}

struct file_system_type *get_fs_type(const char *name)
{
	struct file_system_type *fs;
	size_t size = strlen(name) + 1;
	for (fs = file_systems; fs; fs = fs->next)
		if (strlen(fs->name) + 1 == size && !memcmp(fs->name, name, size))
			return fs;
	return NULL;
}

/* Numbers of devices that are none. */
unsigned int get_anon_bdev(void)
{
	static volatile unsigned int last_minor;
	return __atomic_add_fetch(&last_minor, 1, __ATOMIC_SEQ_CST);
}

/* A file system without a disk; it has no root yet. */
struct super_block *alloc_super(struct file_system_type *type, const struct super_operations *ops, unsigned long magic)
{
	struct super_block *sb;
	if (!super_cachep.size)
		kmem_cache_create(&super_cachep, "super_cache", sizeof(struct super_block));
	sb = kmem_cache_alloc(&super_cachep, GFP_KERNEL);
	if (!sb)
		return NULL;
	memset(sb, 0, sizeof(*sb));
	sb->s_type = type;
	sb->s_op = ops;
	sb->s_magic = magic;
	sb->s_dev = get_anon_bdev();
	sb->s_blocksize = PAGE_SIZE;
	atomic_set(&sb->s_active, 1);
	INIT_LIST_HEAD(&sb->s_inodes);
	strscpy(sb->s_id, type->name, sizeof(sb->s_id));
	return sb;
}

/* Of a file system that is nowhere but in memory: with the last mount all of it goes. */
void kill_litter_super(struct super_block *sb)
{
	shrink_dcache_for_umount(sb);
	kmem_cache_free(&super_cachep, sb);
}

void deactivate_super(struct super_block *sb)
{
	if (atomic_dec_and_test(&sb->s_active))
		sb->s_type->kill_sb(sb);
}
