/* The page cache: file pages in memory, read ahead from and written back to the disk. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"
#include "vmstat.h"

#define PAGE_WAIT_TABLE 16

static struct wait_queue_head page_wait_table[PAGE_WAIT_TABLE];

void page_wait_init(void)
{
	unsigned int i;
	for (i = 0; i < PAGE_WAIT_TABLE; i++)
		init_waitqueue_head(&page_wait_table[i]);
}

struct wait_queue_head *folio_waitqueue(struct page *page)
{
	return &page_wait_table[page_to_pfn(page) % PAGE_WAIT_TABLE];
}

void set_page_flag(struct page *page, u32 flag) { __atomic_fetch_or(&page->flags, flag, __ATOMIC_SEQ_CST); }
void clear_page_flag(struct page *page, u32 flag) { __atomic_fetch_and(&page->flags, ~flag, __ATOMIC_SEQ_CST); }

bool trylock_page(struct page *page)
{
	return !(__atomic_fetch_or(&page->flags, PG_locked, __ATOMIC_SEQ_CST) & PG_locked);
}

/* A task that waits for pages waits for the disk. */
void io_schedule_prepare(void) { WRITE_ONCE(current->in_iowait, 1); }
void io_schedule_finish(void) { WRITE_ONCE(current->in_iowait, 0); }

void __folio_lock(struct page *page)
{
	io_schedule_prepare();
	wait_event(folio_waitqueue(page), trylock_page(page));
	io_schedule_finish();
}

void lock_page(struct page *page)
{
	if (!trylock_page(page))
		__folio_lock(page);
}

void unlock_page(struct page *page)
{
	clear_page_flag(page, PG_locked);
	wake_up_all(folio_waitqueue(page));
}

void wait_on_page_locked(struct page *page)
{
	if (!(READ_ONCE(page->flags) & PG_locked))
		return;
	io_schedule_prepare();
	wait_event(folio_waitqueue(page), !(READ_ONCE(page->flags) & PG_locked));
	io_schedule_finish();
}

void wait_on_page_writeback(struct page *page)
{
	if (!(READ_ONCE(page->flags) & PG_writeback))
		return;
	trace(folio_wait_writeback, page_folio(page), page->mapping);
	io_schedule_prepare();
	wait_event(folio_waitqueue(page), !(READ_ONCE(page->flags) & PG_writeback));
	io_schedule_finish();
}

void end_page_writeback(struct page *page)
{
	clear_page_flag(page, PG_writeback);
	wake_up_all(folio_waitqueue(page));
}

/* With a reference, or NULL. */
struct page *find_get_page(struct address_space *mapping, unsigned long index)
{
	struct page *page = NULL;
	u64 flags;
	if (index >= MAX_FILE_PAGES)
		return NULL;
	flags = _raw_spin_lock_irqsave(&mapping->i_lock);
	if (mapping->i_pages)
		page = mapping->i_pages[index];
	if (page)
		get_page(page);
	_raw_spin_unlock_irqrestore(&mapping->i_lock, flags);
	return page;
}

struct folio *filemap_alloc_folio(gfp_t gfp, unsigned int order) { return (struct folio *)alloc_pages(gfp, order); }

struct page *__page_cache_alloc(gfp_t gfp)
{
	struct folio *folio = filemap_alloc_folio(gfp, 0);
	if (!folio)
		return NULL;
	journal(J_PAGE_CACHE_ALLOC, pid_tgid(current), page_to_pfn(&folio->page), 0, 0);
	return &folio->page;
}

/* Takes a reference of its own for the cache. -EEXIST if another page is there already. */
int __filemap_add_folio(struct address_space *mapping, struct folio *folio, unsigned long index, gfp_t gfp)
{
	struct page *page = &folio->page;
	int error = 0;
	u64 flags;
	if (!mapping->i_pages) {
		struct page **slots = (struct page **)get_zeroed_page(gfp & ~__GFP_HIGHUSER);
		if (!slots)
			return -ENOMEM;
		flags = _raw_spin_lock_irqsave(&mapping->i_lock);
		if (!mapping->i_pages) {
			mapping->i_pages = slots;
			slots = NULL;
		}
		_raw_spin_unlock_irqrestore(&mapping->i_lock, flags);
		free_page((unsigned long)slots);
	}
	flags = _raw_spin_lock_irqsave(&mapping->i_lock);
	if (mapping->i_pages[index]) {
		error = -EEXIST;
	} else {
		page->mapping = mapping;
		page->index = index;
		page->flags |= PG_locked;
		get_page(page);
		mapping->i_pages[index] = page;
		mapping->nrpages++;
		mod_node_page_state(NR_FILE_PAGES, 1);
	}
	_raw_spin_unlock_irqrestore(&mapping->i_lock, flags);
	if (!error) {
		journal(J_PAGE_CACHE_ADD, page_to_pfn(page), mapping->host->i_ino, index, pid_tgid(current));
		trace(mm_filemap_add_to_page_cache, page_folio(page));
	}
	return error;
}

int filemap_add_folio(struct address_space *mapping, struct folio *folio, unsigned long index, gfp_t gfp)
{
	int error = __filemap_add_folio(mapping, folio, index, gfp);
	if (!error)
		folio_add_lru(folio);
	return error;
}

int add_to_page_cache_lru(struct page *page, struct address_space *mapping, unsigned long index, gfp_t gfp)
{
	return filemap_add_folio(mapping, page_folio(page), index, gfp);
}

/* The page, locked if it was made now (*created). */
struct page *grab_cache_page(struct address_space *mapping, unsigned long index, bool *created)
{
	for (;;) {
		struct page *page = find_get_page(mapping, index);
		int error;
		*created = false;
		if (page)
			return page;
		page = __page_cache_alloc(GFP_HIGHUSER_MOVABLE);
		if (!page)
			return NULL;
		error = add_to_page_cache_lru(page, mapping, index, GFP_HIGHUSER_MOVABLE);
		*created = !error;
		if (!error)
			return page;
		put_page(page);
		if (error != -EEXIST)
			return NULL;
	}
}

unsigned long file_pages(struct address_space *mapping)
{
	return ((unsigned long)READ_ONCE(mapping->host->i_size) + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* One page that nobody could be bothered to read ahead: it is wanted now, whatever it costs. */
int filemap_create_folio(struct address_space *mapping, unsigned long index)
{
	struct readahead_control ractl = { .mapping = mapping, ._index = index, ._nr_pages = 1 };
	struct page *page = __page_cache_alloc(GFP_HIGHUSER_MOVABLE);
	int error;
	if (!page)
		return -ENOMEM;
	error = add_to_page_cache_lru(page, mapping, index, GFP_HIGHUSER_MOVABLE);
	put_page(page);
	if (!error)
		mapping->a_ops->readahead(&ractl);
	return error == -EEXIST ? 0 : error;
}

/* Without a file only the page itself is read. */
void page_cache_readahead(struct address_space *mapping, unsigned long index, struct file *file, struct page *page,
			  unsigned long count)
{
	struct readahead_control ractl = {
		.file = file,
		.mapping = mapping,
		.ra = file ? &file->f_ra : NULL,
		._index = index,
	};
	if (page)
		page_cache_async_ra(&ractl, page_folio(page), count);
	else
		page_cache_sync_ra(&ractl, count);
}

/* The page with its contents, or an error. Sleeps until the disk has delivered. `count`: pages that are wanted from here. */
struct page *filemap_get_pages(struct address_space *mapping, unsigned long index, struct file *file,
			       unsigned long count)
{
	int tries;
	if (index >= file_pages(mapping))
		return ERR_PTR(-EIO);
	for (tries = 0; tries < 4; tries++) {
		struct page *page = find_get_page(mapping, index);
		if (!page) {
			int error = 0;
			if (tries)
				error = filemap_create_folio(mapping, index);
			else
				page_cache_readahead(mapping, index, file, NULL, count);
			if (error)
				return ERR_PTR(error);
			continue;
		}
		if (file && (READ_ONCE(page->flags) & PG_readahead))
			page_cache_readahead(mapping, index, file, page, count);
		wait_on_page_locked(page);
		if (likely(READ_ONCE(page->flags) & PG_uptodate))
			return page;
		put_page(page);
		if (READ_ONCE(page->flags) & PG_error)
			break;
	}
	return ERR_PTR(-EIO);
}

struct page *filemap_get_page(struct address_space *mapping, unsigned long index, struct file *file)
{
	return filemap_get_pages(mapping, index, file, 1);
}

size_t copy_page_to_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *iter)
{
	char *from = (char *)page_address(page) + offset;
	size_t copied = bytes;
	if (iter->kernel)
		memcpy(iter->buf, from, bytes);
	else
		copied -= _copy_to_user(iter->buf, from, bytes);
	iter->buf += copied;
	iter->count -= copied;
	return copied;
}

size_t copy_page_from_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *iter)
{
	char *to = (char *)page_address(page) + offset;
	size_t copied = bytes;
	if (iter->kernel)
		memcpy(to, iter->buf, bytes);
	else
		copied -= _copy_from_user(to, iter->buf, bytes);
	iter->buf += copied;
	iter->count -= copied;
	return copied;
}

ssize_t filemap_read(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	struct file_ra_state *ra = &iocb->ki_filp->f_ra;
	loff_t last_pos = ra->prev_pos;
	ssize_t total = 0;
	while (iter->count) {
		unsigned long index = (u64)iocb->ki_pos >> PAGE_SHIFT;
		unsigned long last_index = ((u64)iocb->ki_pos + iter->count + PAGE_SIZE - 1) >> PAGE_SHIFT;
		loff_t size = READ_ONCE(mapping->host->i_size);
		size_t offset = (size_t)iocb->ki_pos & (PAGE_SIZE - 1);
		size_t bytes = min(iter->count, PAGE_SIZE - offset);
		struct page *page;
		size_t copied;
		if (iocb->ki_pos >= size)
			break;
		bytes = min(bytes, (size_t)(size - iocb->ki_pos));
		page = filemap_get_pages(mapping, index, iocb->ki_filp, last_index - index);
		if (IS_ERR(page))
			return total ? total : PTR_ERR(page);
		/* Small reads of one page are one use of it. */
		if (last_pos < 0 || index != (u64)(last_pos - 1) >> PAGE_SHIFT)
			mark_page_accessed(page);
		copied = copy_page_to_iter(page, offset, bytes, iter);
		put_page(page);
		iocb->ki_pos += (loff_t)copied;
		ra->prev_pos = last_pos = iocb->ki_pos;
		total += (ssize_t)copied;
		if (copied < bytes)
			return total ? total : -EFAULT;
	}
	return total;
}

ssize_t generic_file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	if (!iter->count)
		return 0;
	return filemap_read(iocb, iter);
}

ssize_t generic_perform_write(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	ssize_t total = 0;
	while (iter->count) {
		size_t offset = (size_t)iocb->ki_pos & (PAGE_SIZE - 1);
		size_t bytes = min(iter->count, PAGE_SIZE - offset);
		struct page *page = mapping->a_ops->write_begin(mapping, iocb->ki_pos, bytes);
		size_t copied;
		if (IS_ERR(page))
			return total ? total : PTR_ERR(page);
		copied = copy_page_from_iter(page, offset, bytes, iter);
		mapping->a_ops->write_end(mapping->host, page, iocb->ki_pos, bytes, copied);
		iocb->ki_pos += (loff_t)copied;
		total += (ssize_t)copied;
		if (copied < bytes)
			return total ? total : -EFAULT;
	}
	return total;
}

/* Once for each time that a clean page becomes dirty. */
void folio_account_dirtied(struct folio *folio, struct address_space *mapping)
{
	__atomic_add_fetch(&mapping->nrdirty, 1, __ATOMIC_SEQ_CST);
	mod_node_page_state(NR_FILE_DIRTY, 1);
	journal(J_DIRTY_FOLIO, mapping->host->i_ino, folio->index, 0, 0);
	trace(writeback_dirty_folio, folio, mapping);
}

void __folio_mark_dirty(struct folio *folio, struct address_space *mapping, int warn)
{
	(void)warn;
	if (mapping)
		folio_account_dirtied(folio, mapping);
}

bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	if (__atomic_fetch_or(&folio->flags, PG_dirty, __ATOMIC_SEQ_CST) & PG_dirty)
		return false;
	__folio_mark_dirty(folio, mapping, 1);
	return true;
}

bool folio_mark_dirty(struct folio *folio) { return filemap_dirty_folio(folio->mapping, folio); }

void set_page_dirty(struct page *page) { folio_mark_dirty(page_folio(page)); }

bool clear_page_dirty_for_io(struct page *page)
{
	if (!(__atomic_fetch_and(&page->flags, ~(u32)PG_dirty, __ATOMIC_SEQ_CST) & PG_dirty))
		return false;
	__atomic_sub_fetch(&page->mapping->nrdirty, 1, __ATOMIC_SEQ_CST);
	if (page->mapping->a_ops->writepages)
		mod_node_page_state(NR_FILE_DIRTY, -1);
	clear_buffer_dirty(page);
	return true;
}

int filemap_fdatawrite(struct address_space *mapping, bool wait)
{
	if (!READ_ONCE(mapping->nrdirty) && !wait)
		return 0;
	return mapping->a_ops && mapping->a_ops->writepages ? mapping->a_ops->writepages(mapping, wait) : 0;
}

int filemap_write_and_wait_range(struct address_space *mapping, loff_t start, loff_t end)
{
	unsigned long index = (u64)start >> PAGE_SHIFT;
	int error = filemap_fdatawrite(mapping, true);
	for (; index < file_pages(mapping) && (loff_t)(index << PAGE_SHIFT) <= end; index++) {
		struct page *page = find_get_page(mapping, index);
		if (!page)
			continue;
		wait_on_page_writeback(page);
		if (page->flags & PG_error)
			error = -EIO;
		put_page(page);
	}
	return error;
}

/*
 * Drops a locked page from the cache, unless another has done so before it was locked; with `only_unused`, also
 * unless somebody but the caller and the cache holds it. New holders take their reference under the same lock.
 */
bool __remove_mapping(struct address_space *mapping, unsigned long index, struct page *page, bool only_unused)
{
	u64 flags = _raw_spin_lock_irqsave(&mapping->i_lock);
	bool remove = mapping->i_pages[index] == page;
	if (only_unused && atomic_read(&page->_refcount) != 2)
		remove = false;
	if (remove) {
		journal(J_PAGE_CACHE_DELETE, page_to_pfn(page), mapping->host->i_ino, index, 0);
		trace(mm_filemap_delete_from_page_cache, page_folio(page));
		mapping->i_pages[index] = NULL;
		mapping->nrpages--;
		mod_node_page_state(NR_FILE_PAGES, -1);
		page->mapping = NULL;
	}
	_raw_spin_unlock_irqrestore(&mapping->i_lock, flags);
	if (remove)
		put_page(page);
	return remove;
}

void truncate_inode_pages(struct address_space *mapping)
{
	unsigned long index;
	for (index = 0; mapping->nrpages && index < MAX_FILE_PAGES; index++) {
		struct page *page = find_get_page(mapping, index);
		if (!page)
			continue;
		lock_page(page);
		wait_on_page_writeback(page);
		if (page->mapping == mapping) {
			clear_page_dirty_for_io(page);
			block_invalidate_folio(page_folio(page));
		}
		__remove_mapping(mapping, index, page, false);
		unlock_page(page);
		put_page(page);
	}
}

/* Drops clean pages that nobody maps; the result is how many. */
unsigned long invalidate_mapping_pages(struct address_space *mapping)
{
	unsigned long index, dropped = 0;
	for (index = 0; mapping->nrpages && index < MAX_FILE_PAGES; index++) {
		struct page *page = find_get_page(mapping, index);
		if (!page)
			continue;
		lock_page(page);
		if (!(page->flags & (PG_dirty | PG_writeback)) && try_to_free_buffers(page_folio(page)) &&
		    __remove_mapping(mapping, index, page, true))
			dropped++;
		unlock_page(page);
		put_page(page);
	}
	return dropped;
}
