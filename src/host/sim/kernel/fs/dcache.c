/* The directory cache: names in memory, found by parent and hash. */
#include "fs.h"

#define D_HASH_SIZE 64

static struct list_head dentry_hashtable[D_HASH_SIZE];
static spinlock_t dcache_lock;
static struct kmem_cache dentry_cache;

void dcache_init(void)
{
	unsigned int i;
	for (i = 0; i < D_HASH_SIZE; i++)
		INIT_LIST_HEAD(&dentry_hashtable[i]);
	kmem_cache_create(&dentry_cache, "dentry", sizeof(struct dentry));
}

unsigned int full_name_hash(const unsigned char *name, unsigned int len)
{
	unsigned int hash = 5381;
	while (len--)
		hash = hash * 33 + *name++;
	return hash;
}

struct list_head *d_hash(const struct dentry *parent, unsigned int hash)
{
	u64 mixed = (u64)parent >> 6 ^ hash ^ hash >> 16;
	return &dentry_hashtable[mixed % D_HASH_SIZE];
}

bool d_same_name(const struct dentry *dentry, const struct qstr *name)
{
	return dentry->d_name.len == name->len && !memcmp(dentry->d_name.name, name->name, name->len);
}

/* With a reference. A dentry without inode says that the name is known not to exist. */
struct dentry *__d_lookup(struct dentry *parent, const struct qstr *name)
{
	struct list_head *pos, *head = d_hash(parent, name->hash);
	struct dentry *found = NULL;
	_raw_spin_lock(&dcache_lock);
	list_for_each(pos, head) {
		struct dentry *dentry = list_entry(pos, struct dentry, d_hash);
		if (dentry->d_parent != parent || dentry->d_name.hash != name->hash)
			continue;
		if (!d_same_name(dentry, name))
			continue;
		found = dget(dentry);
		break;
	}
	_raw_spin_unlock(&dcache_lock);
	return found;
}

/* NULL if the name is longer than the file system allows or memory is short. */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name)
{
	struct dentry *dentry;
	if (name->len >= DNAME_INLINE_LEN)
		return NULL;
	dentry = kmem_cache_alloc(&dentry_cache, GFP_KERNEL);
	if (!dentry)
		return NULL;
	memset(dentry, 0, sizeof(*dentry));
	memcpy(dentry->d_iname, name->name, name->len);
	dentry->d_name.name = dentry->d_iname;
	dentry->d_name.len = name->len;
	dentry->d_name.hash = name->hash;
	atomic_set(&dentry->d_count, 1);
	INIT_LIST_HEAD(&dentry->d_hash);
	INIT_LIST_HEAD(&dentry->d_child);
	INIT_LIST_HEAD(&dentry->d_subdirs);
	dentry->d_parent = parent ? dget(parent) : dentry;
	return dentry;
}

void __dentry_kill(struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;
	if (dentry->d_inode)
		iput(dentry->d_inode);
	kmem_cache_free(&dentry_cache, dentry);
	if (parent != dentry)
		dput(parent);
}

/* Behind all names that the directory has. The lock is held. */
void d_link_child(struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;
	if (parent->d_inode)
		dentry->d_cookie = ++parent->d_inode->i_last_cookie + 1;
	list_add_tail(&dentry->d_child, &parent->d_subdirs);
}

void d_add(struct dentry *dentry, struct inode *inode)
{
	_raw_spin_lock(&dcache_lock);
	dentry->d_inode = inode;
	if (inode)
		dentry->d_sb = inode->i_sb;
	if (list_empty(&dentry->d_hash))
		list_add(&dentry->d_hash, d_hash(dentry->d_parent, dentry->d_name.hash));
	if (inode && list_empty(&dentry->d_child) && dentry->d_parent != dentry)
		d_link_child(dentry);
	_raw_spin_unlock(&dcache_lock);
}

/* `dentry` takes the name and the place of `target`, whose own name is gone. Both directories are locked. */
void d_move(struct dentry *dentry, struct dentry *target)
{
	struct dentry *old_parent = dentry->d_parent;
	d_delete(target);
	_raw_spin_lock(&dcache_lock);
	list_del_init(&dentry->d_hash);
	list_del_init(&dentry->d_child);
	memcpy(dentry->d_iname, target->d_iname, DNAME_INLINE_LEN);
	dentry->d_name.len = target->d_name.len;
	dentry->d_name.hash = target->d_name.hash;
	dentry->d_parent = dget(target->d_parent);
	list_add(&dentry->d_hash, d_hash(dentry->d_parent, dentry->d_name.hash));
	d_link_child(dentry);
	_raw_spin_unlock(&dcache_lock);
	dput(old_parent);
}

/* Whether the one is, or lies below, the other. */
bool is_subdir(const struct dentry *dentry, const struct dentry *of)
{
	bool found;
	_raw_spin_lock(&dcache_lock);
	while (dentry != of && dentry->d_parent != dentry)
		dentry = dentry->d_parent;
	found = dentry == of;
	_raw_spin_unlock(&dcache_lock);
	return found;
}

/* Nobody uses the file system any more: all its names go, inner ones first. */
void shrink_dcache_for_umount(struct super_block *sb)
{
	struct dentry *dentry = sb->s_root;
	sb->s_root = NULL;
	while (dentry) {
		struct dentry *parent = dentry->d_parent;
		if (!list_empty(&dentry->d_subdirs)) {
			dentry = list_first_entry(&dentry->d_subdirs, struct dentry, d_child);
			continue;
		}
		d_delete(dentry);
		if (parent == dentry)
			parent = NULL;
		/* The child holds its parent, which is not to go before its other children. */
		if (parent)
			dget(parent);
		__dentry_kill(dentry);
		if (parent)
			atomic_dec_and_test(&parent->d_count);
		dentry = parent;
	}
}

/* The name is gone; open files keep the dentry and its inode until they are closed. */
void d_delete(struct dentry *dentry)
{
	_raw_spin_lock(&dcache_lock);
	list_del_init(&dentry->d_hash);
	list_del_init(&dentry->d_child);
	_raw_spin_unlock(&dcache_lock);
}

/* Hashed dentries stay cached when nobody uses them, unless they say that there is nothing. */
void dput(struct dentry *dentry)
{
	bool kill;
	if (!dentry)
		return;
	_raw_spin_lock(&dcache_lock);
	kill = atomic_dec_and_test(&dentry->d_count) && (list_empty(&dentry->d_hash) || !dentry->d_inode);
	if (kill) {
		list_del_init(&dentry->d_hash);
		list_del_init(&dentry->d_child);
	}
	_raw_spin_unlock(&dcache_lock);
	if (kill)
		__dentry_kill(dentry);
}
