/* Files, names, inodes, page cache. */
#pragma once
#include "mm.h"

struct qstr {
	const unsigned char *name;
	u32 len;
	u32 hash;
};

#define DNAME_INLINE_LEN 40
struct inode;
struct super_block;
struct file_operations;
struct poll_table_struct;
struct mnt_namespace;
struct path;
struct renamedata;
typedef unsigned int __poll_t;

struct dentry {
	struct dentry *d_parent;
	struct inode *d_inode;
	struct list_head d_hash;
	struct qstr d_name;
	atomic_t d_count;
	unsigned int d_flags;
	struct list_head d_child;
	struct list_head d_subdirs;
	struct super_block *d_sb;
	/* Its place among its parent's, for who reads a directory piece by piece. */
	loff_t d_cookie;
	unsigned char d_iname[DNAME_INLINE_LEN];
};

/* A file system is mounted here, in some namespace. */
#define DCACHE_MOUNTED 0x10000u

struct vfsmount {
	struct super_block *mnt_sb;
	struct dentry *mnt_root;
	int mnt_flags;
};

struct path {
	struct dentry *dentry;
	struct vfsmount *mnt;
};

/* A file system at its place among the names. */
struct mount {
	struct list_head mnt_hash;
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	atomic_t mnt_count;
	struct list_head mnt_mounts;
	struct list_head mnt_child;
	const char *mnt_devname;
	struct list_head mnt_list;
	struct mnt_namespace *mnt_ns;
	int mnt_id;
};
#define MNT_READONLY 0x40
struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
	struct list_head list;
	atomic_t count;
	unsigned int mounts;
};
extern struct mnt_namespace init_mnt_ns;
static __always_inline struct mount *real_mount(struct vfsmount *mnt) { return container_of(mnt, struct mount, mnt); }

#define MAX_FILE_PAGES 512

struct readahead_control;
struct address_space_operations {
	/* Brings pages on their way that are in the cache, locked and without contents. */
	void (*readahead)(struct readahead_control *);
	int (*writepages)(struct address_space *, bool wait);
	struct page *(*write_begin)(struct address_space *, loff_t pos, size_t len);
	void (*write_end)(struct inode *, struct page *, loff_t pos, size_t len, size_t copied);
};

struct address_space {
	struct inode *host;
	const struct address_space_operations *a_ops;
	spinlock_t i_lock;
	struct page **i_pages;
	unsigned long nrpages;
	unsigned long nrdirty;
};

struct inode {
	unsigned long i_ino;
	umode_t i_mode;
	u16 i_opflags;
	u32 i_nlink;
	kuid_t i_uid;
	kgid_t i_gid;
	dev_t i_rdev;
	atomic_t i_count;
	loff_t i_size;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	struct address_space i_data;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	/* The text of a symbolic link. */
	char *i_link;
	/* Of a directory: the cookie of the last name that came into it. */
	loff_t i_last_cookie;
	struct rw_semaphore i_rwsem;
	struct list_head i_sb_list;
	u32 *i_block;
	u64 i_blocks;
	ktime_t i_mtime;
	void *i_private;
};

/* What write-back knows of a disk, and the work it is given. */
struct backing_dev_info {
	unsigned int id;
	char dev_name[64];
};
struct bdi_writeback {
	struct backing_dev_info *bdi;
	unsigned long state;
	unsigned long last_old_flush;
};
enum writeback_sync_modes { WB_SYNC_NONE, WB_SYNC_ALL };
enum wb_reason {
	WB_REASON_BACKGROUND,
	WB_REASON_VMSCAN,
	WB_REASON_SYNC,
	WB_REASON_PERIODIC,
};
struct wb_writeback_work {
	long nr_pages;
	struct super_block *sb;
	enum writeback_sync_modes sync_mode;
	unsigned int for_kupdate;
	unsigned int range_cyclic;
	unsigned int for_background;
	enum wb_reason reason;
};

struct inode_operations {
	struct dentry *(*lookup)(struct inode *, struct dentry *, unsigned int);
	int (*create)(struct user_namespace *, struct inode *, struct dentry *, umode_t, bool);
	int (*link)(struct dentry *, struct inode *, struct dentry *);
	int (*unlink)(struct inode *, struct dentry *);
	int (*symlink)(struct user_namespace *, struct inode *, struct dentry *, const char *);
	int (*mkdir)(struct user_namespace *, struct inode *, struct dentry *, umode_t);
	int (*rmdir)(struct inode *, struct dentry *);
	int (*rename)(struct user_namespace *, struct inode *, struct dentry *, struct inode *, struct dentry *,
		      unsigned int);
	void (*truncate)(struct inode *);
};

struct renamedata {
	struct user_namespace *old_mnt_userns;
	struct inode *old_dir;
	struct dentry *old_dentry;
	struct user_namespace *new_mnt_userns;
	struct inode *new_dir;
	struct dentry *new_dentry;
	struct inode **delegated_inode;
	unsigned int flags;
};

#define FS_REQUIRES_DEV 1
struct file_system_type {
	const char *name;
	int fs_flags;
	/* The root of the file system, with a reference to it and to its super_block. */
	struct dentry *(*mount)(struct file_system_type *, int flags, const char *dev_name, void *data);
	void (*kill_sb)(struct super_block *);
	struct file_system_type *next;
};

struct super_operations {
	void (*evict_inode)(struct inode *);
};

struct super_block {
	dev_t s_dev;
	const struct super_operations *s_op;
	struct file_system_type *s_type;
	unsigned long s_flags;
	/* One for each mount of it. */
	atomic_t s_active;
	void *s_fs_info;
	char s_id[32];
	unsigned long s_blocksize;
	struct dentry *s_root;
	struct block_device *s_bdev;
	struct backing_dev_info *s_bdi;
	struct list_head s_inodes;
	spinlock_t s_inode_list_lock;
	unsigned long s_next_ino;
	unsigned long s_magic;
};

struct iov_iter {
	char *buf;
	size_t count;
	bool to_user;
	bool kernel;
};

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
	int ki_flags;
};

struct dir_context;
typedef bool (*filldir_t)(struct dir_context *, const char *name, int len, loff_t pos, u64 ino, unsigned int type);
/* Where a directory is read on, and who takes its names. */
struct dir_context {
	filldir_t actor;
	loff_t pos;
};

struct file_operations {
	int (*iterate_shared)(struct file *, struct dir_context *);
	ssize_t (*read_iter)(struct kiocb *, struct iov_iter *);
	ssize_t (*write_iter)(struct kiocb *, struct iov_iter *);
	int (*open)(struct inode *, struct file *);
	int (*release)(struct inode *, struct file *);
	int (*fsync)(struct file *, loff_t start, loff_t end);
	__poll_t (*poll)(struct file *, struct poll_table_struct *);
};

/* How far ahead of its reader a file is read. */
struct file_ra_state {
	unsigned long start;
	unsigned int size;
	unsigned int async_size;
	unsigned int ra_pages;
	unsigned int mmap_miss;
	loff_t prev_pos;
};

struct readahead_control {
	struct file *file;
	struct address_space *mapping;
	struct file_ra_state *ra;
	unsigned long _index;
	unsigned int _nr_pages;
	unsigned int _batch_count;
};

enum bh_state_bits { BH_Uptodate = 1, BH_Dirty = 2 };
struct buffer_head {
	unsigned long b_state;
	struct buffer_head *b_this_page;
	struct page *b_page;
	sector_t b_blocknr;
	size_t b_size;
	char *b_data;
	struct block_device *b_bdev;
	atomic_t b_count;
};

struct file {
	loff_t f_pos;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	struct path f_path;
	const struct file_operations *f_op;
	atomic_t f_count;
	struct address_space *f_mapping;
	struct file_ra_state f_ra;
	void *private_data;
	/* The epitems that watch it. */
	struct list_head f_ep;
};

#define FMODE_READ 1u
#define FMODE_WRITE 2u
#define FMODE_LSEEK 4u
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)
#define FMODE_CREATED 0x100000u

struct filename {
	const char *uptr;
	int refcnt;
	const char *name;
	char iname[];
};
#define FILENAME_MAX 232

enum { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

struct nameidata {
	struct path path;
	struct qstr last;
	struct inode *inode;
	unsigned int flags;
	int last_type;
	int dfd;
	/* Symbolic links followed so far, and how many lie in one another now. */
	int total_link_count;
	int depth;
	struct filename *name;
};
#define LOOKUP_FOLLOW 1u
#define LOOKUP_DIRECTORY 2u
#define MAXSYMLINKS 40
#define MAX_NESTED_LINKS 8

struct open_flags {
	int open_flag;
	umode_t mode;
	int acc_mode;
	unsigned int lookup_flags;
};

struct linux_binprm {
	struct mm_struct *mm;
	struct file *file;
	const char *filename;
	const char *interp;
	int argc, envc;
	bool point_of_no_return;
	unsigned long p;
	char buf[256];
	char *arg_page;
	unsigned long arg_len;
};

/* exec */
int begin_new_exec(struct linux_binprm *bprm);
int load_elf_binary(struct linux_binprm *bprm);

/* names */
struct filename *getname_flags(const char *filename, int flags);
struct filename *getname_kernel(const char *filename);
void putname(struct filename *name);
struct file *do_filp_open(int dfd, struct filename *name, const struct open_flags *op);
int filename_lookup(int dfd, struct filename *name, unsigned int flags, struct path *path);
int user_path_at(int dfd, const char *name, unsigned int flags, struct path *path);
int filename_parentat(int dfd, struct filename *name, struct nameidata *nd);
long do_unlinkat(int dfd, struct filename *name);
long do_mkdirat(int dfd, struct filename *name, umode_t mode);
struct dentry *lookup_one(struct dentry *parent, struct qstr *name);
struct dentry *__lookup_slow(const struct qstr *name, struct dentry *dir);
int vfs_create(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode,
	       bool want_excl);
int vfs_open(const struct path *path, struct file *file);
void path_get(const struct path *path);
void path_put(const struct path *path);
bool path_equal(const struct path *a, const struct path *b);

/* mounts */
struct vfsmount *mntget(struct vfsmount *mnt);
void mntput(struct vfsmount *mnt);
struct vfsmount *lookup_mnt(const struct path *path);
bool follow_up(struct path *path);
bool is_local_mountpoint(struct dentry *dentry);
int mnt_want_write(struct vfsmount *mnt);
struct mnt_namespace *copy_mnt_ns(struct mnt_namespace *old);
void put_mnt_ns(struct mnt_namespace *ns);
void mnt_init(void);
int do_mount(const char *dev_name, const char *dir_name, const char *type, unsigned long flags, void *data);
void register_filesystem(struct file_system_type *fs);
void shmem_init(void);
struct super_block *alloc_super(struct file_system_type *type, const struct super_operations *ops, unsigned long magic);
void kill_litter_super(struct super_block *sb);
unsigned int get_anon_bdev(void);

/* dentries and inodes */
void dcache_init(void);
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name);
void d_add(struct dentry *dentry, struct inode *inode);
void d_delete(struct dentry *dentry);
void d_move(struct dentry *dentry, struct dentry *target);
bool is_subdir(const struct dentry *dentry, const struct dentry *of);
void shrink_dcache_for_umount(struct super_block *sb);

struct dentry *__d_lookup(struct dentry *parent, const struct qstr *name);
void dput(struct dentry *dentry);
static __always_inline struct dentry *dget(struct dentry *dentry)
{
	atomic_inc(&dentry->d_count);
	return dentry;
}
struct inode *new_inode(struct super_block *sb, umode_t mode);
void iput(struct inode *inode);
unsigned int full_name_hash(const unsigned char *name, unsigned int len);

static __always_inline void inode_lock(struct inode *inode) { down_write(&inode->i_rwsem); }
static __always_inline void inode_unlock(struct inode *inode) { up_write(&inode->i_rwsem); }
static __always_inline void inode_lock_shared(struct inode *inode) { down_read(&inode->i_rwsem); }
static __always_inline void inode_unlock_shared(struct inode *inode) { up_read(&inode->i_rwsem); }

/* permission */
#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4
int inode_permission(struct inode *inode, int mask);

/* open files */
struct file *alloc_empty_file(int flags);
struct file *alloc_file_pseudo(struct inode *inode, struct mount *mount, const char *name, int flags,
			       const struct file_operations *fops);
void fput(struct file *file);
struct file *fget(unsigned int fd);
int get_unused_fd_flags(unsigned int flags);
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);
int close_fd(unsigned int fd);
int f_dupfd(unsigned int from, struct file *file, unsigned int flags);
void set_close_on_exec(unsigned int fd, bool flag);
bool get_close_on_exec(unsigned int fd);
void do_close_on_exec(struct files_struct *files);
void eventpoll_release(struct file *file);
int security_file_open(struct file *file);
int security_inode_create(struct inode *dir, struct dentry *dentry, umode_t mode);
int security_inode_unlink(struct inode *dir, struct dentry *dentry);
struct file *filp_open(const char *name, int flags, umode_t mode);
int filp_close(struct file *file);
struct files_struct *dup_fd(struct files_struct *old);
void exit_files(struct task_struct *task);
long do_sys_openat2(int dfd, const char *filename, int flags, umode_t mode);
ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos);
ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos);
ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos);
ssize_t vfs_write(struct file *file, const char *buf, size_t count, loff_t *pos);
int vfs_fsync_range(struct file *file, loff_t start, loff_t end);

/* page cache */
ssize_t generic_file_read_iter(struct kiocb *iocb, struct iov_iter *iter);
ssize_t generic_perform_write(struct kiocb *iocb, struct iov_iter *iter);
struct page *filemap_get_page(struct address_space *mapping, unsigned long index, struct file *file);
struct page *find_get_page(struct address_space *mapping, unsigned long index);
struct page *grab_cache_page(struct address_space *mapping, unsigned long index, bool *created);
int filemap_write_and_wait_range(struct address_space *mapping, loff_t start, loff_t end);
int filemap_fdatawrite(struct address_space *mapping, bool wait);
void truncate_inode_pages(struct address_space *mapping);
unsigned long invalidate_mapping_pages(struct address_space *mapping);
size_t copy_page_to_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *iter);
size_t copy_page_from_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *iter);
void lock_page(struct page *page);
void unlock_page(struct page *page);
void wait_on_page_locked(struct page *page);
void end_page_writeback(struct page *page);
void page_wait_init(void);
void set_page_dirty(struct page *page);
void __folio_mark_dirty(struct folio *folio, struct address_space *mapping, int warn);
bool clear_page_dirty_for_io(struct page *page);
void wait_on_page_writeback(struct page *page);
unsigned long file_pages(struct address_space *mapping);
struct page *__page_cache_alloc(gfp_t gfp);
int filemap_add_folio(struct address_space *mapping, struct folio *folio, unsigned long index, gfp_t gfp);
int add_to_page_cache_lru(struct page *page, struct address_space *mapping, unsigned long index, gfp_t gfp);
bool __remove_mapping(struct address_space *mapping, unsigned long index, struct page *page, bool only_unused);
bool trylock_page(struct page *page);
void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping);
void page_cache_sync_ra(struct readahead_control *ractl, unsigned long req_count);
void page_cache_async_ra(struct readahead_control *ractl, struct folio *folio, unsigned long req_count);
void do_page_cache_ra(struct readahead_control *ractl, unsigned long nr_to_read, unsigned long lookahead_size);

/* buffers */
void buffer_init(void);
struct buffer_head *create_empty_buffers(struct page *page);
bool try_to_free_buffers(struct folio *folio);
void clear_buffer_dirty(struct page *page);
void block_invalidate_folio(struct folio *folio);
void mark_buffer_dirty(struct buffer_head *bh);
void block_write_end(struct inode *inode, struct page *page, size_t copied);
int flush_worker(void *data);
void wakeup_flusher_threads(enum wb_reason reason);
void kswapd_run(void);

/* the disk file system */
extern const struct file_operations ext4_file_operations;
extern const struct file_operations ext4_dir_operations;
extern const struct address_space_operations ext4_aops;
int ext4_fill_super(struct super_block *sb);
struct inode *ext4_iget(struct super_block *sb, umode_t mode);
void ext4_evict_inode(struct inode *inode);
void ext4_truncate(struct inode *inode);
int ext4_map_blocks(struct inode *inode, unsigned long index, bool create, u32 *block);
void ext4_readahead(struct readahead_control *rac);
int ext4_writepages(struct address_space *mapping, bool wait);
extern struct super_block root_sb;
extern struct mount root_mount;
extern struct file_system_type ext4_fs_type;

/* directories that are nothing but their dentries */
struct dentry *simple_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);
int simple_link(struct dentry *old, struct inode *dir, struct dentry *dentry);
int simple_unlink(struct inode *dir, struct dentry *dentry);
int simple_rmdir(struct inode *dir, struct dentry *dentry);
int simple_rename(struct user_namespace *ns, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		  struct dentry *new, unsigned int flags);
int dcache_readdir(struct file *file, struct dir_context *ctx);
int noop_fsync(struct file *file, loff_t start, loff_t end);
char *kstrdup(const char *s);
extern const struct inode_operations page_symlink_inode_operations;
extern const struct file_operations shmem_file_operations;

/* file systems without names: what pipes and the like are inodes of */
struct pseudo_fs {
	struct super_block sb;
	struct mount mount;
};
void init_pseudo(struct pseudo_fs *fs, const char *name, unsigned long magic);
unsigned int get_next_ino(void);
void pipe_init(void);
void eventpoll_init(void);

extern const struct file_operations tty_fops;
extern const struct file_operations sock_file_ops;
