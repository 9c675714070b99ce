/* Data of the disk file system: reads ahead, buffered writes, write-back, fsync. */
#include "blk.h"
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define SECTORS_PER_PAGE (PAGE_SIZE >> SECTOR_SHIFT)
#define MAX_BIO_PAGES 32

int ext4_force_commit(struct inode *inode);
void clear_page(void *page);

#define LONG_MAX 0x7fffffffffffffffL
extern struct bdi_writeback root_wb;
static struct wait_queue_head flush_wq = { .head = LIST_HEAD_INIT(flush_wq.head) };
static volatile int flush_wanted;
static volatile int vmscan_wanted;

/* A run of pages that are neighbours in memory and on the disk. */
struct page_run {
	struct page *first;
	unsigned int count;
	u32 block;
};

void mpage_read_end_io(struct bio *bio)
{
	struct page *page = bio->bi_private;
	unsigned int i, count = (unsigned int)(bio->bi_opf >> 16);
	for (i = 0; i < count; i++, page++) {
		set_page_flag(page, bio->bi_status ? PG_error : PG_uptodate);
		unlock_page(page);
	}
	bio_put(bio);
}

void ext4_end_bio(struct bio *bio)
{
	struct page *page = bio->bi_private;
	unsigned int i, count = (unsigned int)(bio->bi_opf >> 16);
	for (i = 0; i < count; i++, page++) {
		if (bio->bi_status)
			set_page_flag(page, PG_error);
		end_page_writeback(page);
		put_page(page);
	}
	bio_put(bio);
}

/* Sends a run off and empties it. The page count travels in the upper half of bi_opf. */
void ext4_mpage_submit(struct page_run *run, blk_opf_t opf, void (*end_io)(struct bio *))
{
	unsigned int noreclaim = current->flags & PF_MEMALLOC;
	struct bio *bio;
	if (!run->count)
		return;
	/* I/O has the reserves: it is what memory comes from. */
	current->flags |= PF_MEMALLOC;
	bio = bio_alloc(vda, opf | run->count << 16, GFP_KERNEL);
	if (!bio)
		panic("no memory for a bio");
	bio->bi_iter.bi_sector = (sector_t)run->block * SECTORS_PER_PAGE;
	bio->bi_iter.bi_size = run->count * (unsigned int)PAGE_SIZE;
	bio->bi_phys = page_to_phys(run->first);
	bio->bi_end_io = end_io;
	bio->bi_private = run->first;
	run->count = 0;
	submit_bio(bio);
	current->flags = (current->flags & ~(u32)PF_MEMALLOC) | noreclaim;
}

bool page_run_extends(const struct page_run *run, const struct page *page, u32 block)
{
	if (!run->count || run->count >= MAX_BIO_PAGES)
		return false;
	return page == run->first + run->count && block == run->block + run->count;
}

void page_run_add(struct page_run *run, struct page *page, u32 block, blk_opf_t opf, void (*end_io)(struct bio *))
{
	if (!page_run_extends(run, page, block)) {
		ext4_mpage_submit(run, opf, end_io);
		run->first = page;
		run->block = block;
	}
	run->count++;
}

/* Starts reading one page that was just added to the cache; a hole is zeros at once. */
int ext4_mpage_readpage(struct page_run *run, struct inode *inode, struct page *page)
{
	u32 block;
	int error;
	trace(ext4_readpage, page);
	error = ext4_map_blocks(inode, page->index, false, &block);
	if (error || !block) {
		clear_page(page_address(page));
		set_page_flag(page, error ? PG_error : PG_uptodate);
		unlock_page(page);
		return error;
	}
	page_run_add(run, page, block, REQ_OP_READ, mpage_read_end_io);
	return 0;
}

/* Reads the pages of a window, which are in the cache and locked, in runs as long as they are neighbours. */
void ext4_readahead(struct readahead_control *rac)
{
	struct page_run run = { .count = 0 };
	unsigned int i;
	for (i = 0; i < rac->_nr_pages; i++) {
		struct page *page = find_get_page(rac->mapping, rac->_index + i);
		if (!page)
			continue;
		ext4_mpage_readpage(&run, rac->mapping->host, page);
		put_page(page);
	}
	ext4_mpage_submit(&run, REQ_OP_READ, mpage_read_end_io);
}

/* One dirty page joins the run; its reference is dropped when the disk is done. */
int ext4_writepage(struct page_run *run, struct inode *inode, struct page *page)
{
	u32 block;
	int error;
	lock_page(page);
	wait_on_page_writeback(page);
	if (page->mapping != inode->i_mapping || !clear_page_dirty_for_io(page)) {
		unlock_page(page);
		put_page(page);
		return 0;
	}
	trace(ext4_writepage, page);
	error = ext4_map_blocks(inode, page->index, true, &block);
	if (error) {
		set_page_flag(page, PG_error);
		unlock_page(page);
		put_page(page);
		return error;
	}
	set_page_flag(page, PG_writeback);
	unlock_page(page);
	page_run_add(run, page, block, REQ_OP_WRITE, ext4_end_bio);
	return 0;
}

int ext4_writepages(struct address_space *mapping, bool wait)
{
	struct page_run run = { .count = 0 };
	unsigned long index;
	int error = 0;
	(void)wait;
	for (index = 0; index < file_pages(mapping) && READ_ONCE(mapping->nrdirty); index++) {
		struct page *page = find_get_page(mapping, index);
		if (!page)
			continue;
		if (!(READ_ONCE(page->flags) & PG_dirty))
			put_page(page);
		else if (ext4_writepage(&run, mapping->host, page))
			error = -EIO;
	}
	ext4_mpage_submit(&run, REQ_OP_WRITE, ext4_end_bio);
	return error;
}

/* A locked page with the buffer that a write makes dirty, or what becomes of it without memory. */
struct page *with_buffers(struct page *page)
{
	if (create_empty_buffers(page))
		return page;
	unlock_page(page);
	put_page(page);
	return ERR_PTR(-ENOMEM);
}

/* The locked page a write goes to, with its old contents where the write leaves some of them. */
struct page *ext4_da_write_begin(struct address_space *mapping, loff_t pos, size_t len)
{
	unsigned long index = (u64)pos >> PAGE_SHIFT;
	bool partial = len < PAGE_SIZE && (loff_t)(index << PAGE_SHIFT) < mapping->host->i_size;
	struct page *page;
	bool created;
	trace(ext4_da_write_begin, mapping->host, pos, (unsigned int)len);
	if (index >= MAX_FILE_PAGES)
		return ERR_PTR(-EFBIG);
	if (partial) {
		page = filemap_get_page(mapping, index, NULL);
		if (IS_ERR(page))
			return page;
		lock_page(page);
		return with_buffers(page);
	}
	page = grab_cache_page(mapping, index, &created);
	if (!page)
		return ERR_PTR(-ENOMEM);
	if (!created)
		lock_page(page);
	if (!(page->flags & PG_uptodate)) {
		clear_page(page_address(page));
		set_page_flag(page, PG_uptodate);
	}
	return with_buffers(page);
}

void ext4_da_write_end(struct inode *inode, struct page *page, loff_t pos, size_t len, size_t copied)
{
	trace(ext4_da_write_end, inode, pos, (unsigned int)len, (unsigned int)copied);
	if (copied) {
		block_write_end(inode, page, copied);
		if (pos + (loff_t)copied > inode->i_size)
			WRITE_ONCE(inode->i_size, pos + (loff_t)copied);
		inode->i_mtime = ktime_get();
	}
	unlock_page(page);
	put_page(page);
}

const struct address_space_operations ext4_aops = {
	.readahead = ext4_readahead,
	.writepages = ext4_writepages,
	.write_begin = ext4_da_write_begin,
	.write_end = ext4_da_write_end,
};

void balance_dirty_pages(struct address_space *mapping)
{
	if (!READ_ONCE(mapping->nrdirty) || READ_ONCE(flush_wanted))
		return;
	WRITE_ONCE(flush_wanted, 1);
	wake_up(&flush_wq);
}

ssize_t ext4_buffered_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = iocb->ki_filp->f_inode;
	ssize_t ret;
	inode_lock(inode);
	if (iocb->ki_filp->f_flags & O_APPEND)
		iocb->ki_pos = inode->i_size;
	ret = generic_perform_write(iocb, iter);
	inode_unlock(inode);
	balance_dirty_pages(inode->i_mapping);
	return ret;
}

ssize_t ext4_file_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	if (!iter->count)
		return 0;
	if (iocb->ki_pos < 0)
		return -EINVAL;
	return ext4_buffered_write_iter(iocb, iter);
}

ssize_t ext4_file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	if (!iter->count || iocb->ki_pos >= READ_ONCE(iocb->ki_filp->f_inode->i_size))
		return 0;
	return generic_file_read_iter(iocb, iter);
}

int ext4_file_open(struct inode *inode, struct file *file)
{
	if (!inode->i_nlink)
		return -ENOENT;
	if (file->f_flags & O_APPEND)
		file->f_pos = inode->i_size;
	return 0;
}

int ext4_release_file(struct inode *inode, struct file *file)
{
	if ((file->f_mode & FMODE_WRITE) && inode->i_nlink)
		balance_dirty_pages(inode->i_mapping);
	return 0;
}

int ext4_sync_file(struct file *file, loff_t start, loff_t end)
{
	struct inode *inode = file->f_inode;
	int error;
	trace(ext4_sync_file_enter, file, 0);
	error = filemap_write_and_wait_range(inode->i_mapping, start, end);
	if (!error)
		error = ext4_force_commit(inode);
	trace(ext4_sync_file_exit, inode, error);
	return error;
}

/* The first inode with dirty pages, with a reference. */
struct inode *next_dirty_inode(struct super_block *sb)
{
	struct inode *found = NULL;
	struct list_head *pos;
	_raw_spin_lock(&sb->s_inode_list_lock);
	list_for_each(pos, &sb->s_inodes) {
		struct inode *inode = list_entry(pos, struct inode, i_sb_list);
		if (!READ_ONCE(inode->i_data.nrdirty) || !inode->i_nlink || atomic_read(&inode->i_count) <= 0)
			continue;
		atomic_inc(&inode->i_count);
		found = inode;
		break;
	}
	_raw_spin_unlock(&sb->s_inode_list_lock);
	return found;
}

/* Writes what is dirty until nothing is, or the disk refuses. How many pages that was. */
long wb_writeback(struct bdi_writeback *wb, struct wb_writeback_work *work)
{
	struct inode *inode;
	long wrote = 0;
	journal(J_WRITEBACK, 0, (u64)work->nr_pages, 0, 0);
	trace(writeback_start, wb, work);
	while ((inode = next_dirty_inode(work->sb))) {
		long dirty = (long)READ_ONCE(inode->i_data.nrdirty);
		int error = filemap_fdatawrite(inode->i_mapping, true);
		iput(inode);
		if (error)
			break;
		wrote += dirty;
		work->nr_pages -= dirty;
	}
	trace(writeback_written, wb, work);
	journal(J_WRITEBACK, 1, (u64)work->nr_pages, (u64)wrote, 0);
	return wrote;
}

/* All dirty pages of the file system, whoever made them so. */
void wb_do_writeback(struct bdi_writeback *wb, enum wb_reason reason)
{
	long wrote;
	struct wb_writeback_work work = {
		.nr_pages = LONG_MAX,
		.sb = &root_sb,
		.sync_mode = WB_SYNC_NONE,
		.for_kupdate = reason == WB_REASON_PERIODIC,
		.range_cyclic = 1,
		.reason = reason,
	};
	wrote = wb_writeback(wb, &work);
	trace(writeback_pages_written, wrote);
}

/* Memory is short: what is dirty is written now. */
void wakeup_flusher_threads(enum wb_reason reason)
{
	(void)reason;
	WRITE_ONCE(vmscan_wanted, 1);
	wake_up(&flush_wq);
}

#define DIRTY_EXPIRE_TICKS 20

/* The kernel thread that writes back what nobody synced: some ticks after something became dirty. */
int flush_worker(void *data)
{
	(void)data;
	current->flags |= PF_MEMALLOC;
	for (;;) {
		wait_event(&flush_wq, READ_ONCE(flush_wanted) || READ_ONCE(vmscan_wanted));
		if (READ_ONCE(vmscan_wanted)) {
			WRITE_ONCE(vmscan_wanted, 0);
			kswapd_run();
			wb_do_writeback(&root_wb, WB_REASON_VMSCAN);
			continue;
		}
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_timeout(DIRTY_EXPIRE_TICKS);
		WRITE_ONCE(flush_wanted, 0);
		wb_do_writeback(&root_wb, WB_REASON_PERIODIC);
	}
	return 0;
}

const struct file_operations ext4_file_operations = {
	.read_iter = ext4_file_read_iter,
	.write_iter = ext4_file_write_iter,
	.open = ext4_file_open,
	.release = ext4_release_file,
	.fsync = ext4_sync_file,
};

int ext4_readdir(struct file *file, struct dir_context *ctx) { return dcache_readdir(file, ctx); }

const struct file_operations ext4_dir_operations = { .iterate_shared = ext4_readdir, .fsync = ext4_sync_file };
