/* Buffers: what a page of a file is made of on the disk. Blocks are as large as pages, so that each page has one. */
#include "blk.h"
#include "fs.h"
#include "journal.h"
#include "vmstat.h"

static struct kmem_cache bh_cachep;

void buffer_init(void) { kmem_cache_create(&bh_cachep, "buffer_head", sizeof(struct buffer_head)); }

struct buffer_head *alloc_buffer_head(gfp_t gfp)
{
	struct buffer_head *bh = kmem_cache_alloc(&bh_cachep, gfp);
	if (bh)
		memset(bh, 0, sizeof(*bh));
	return bh;
}

void free_buffer_head(struct buffer_head *bh) { kmem_cache_free(&bh_cachep, bh); }

/* The buffer of a locked page, made if there is none; NULL without memory. */
struct buffer_head *create_empty_buffers(struct page *page)
{
	struct buffer_head *bh = (struct buffer_head *)page->private;
	if (bh)
		return bh;
	bh = alloc_buffer_head(GFP_KERNEL);
	if (!bh)
		return NULL;
	bh->b_this_page = bh;
	bh->b_page = page;
	bh->b_size = PAGE_SIZE;
	bh->b_data = page_address(page);
	bh->b_bdev = vda;
	page->private = (unsigned long)bh;
	set_page_flag(page, PG_private);
	return bh;
}

/* False if the page has a buffer that is still to be written. The page is locked. */
bool try_to_free_buffers(struct folio *folio)
{
	struct buffer_head *bh = (struct buffer_head *)folio->private;
	if (!bh)
		return true;
	if (bh->b_state & BH_Dirty)
		return false;
	folio->private = 0;
	clear_page_flag(&folio->page, PG_private);
	free_buffer_head(bh);
	return true;
}

void clear_buffer_dirty(struct page *page)
{
	struct buffer_head *bh = (struct buffer_head *)page->private;
	if (bh)
		__atomic_fetch_and(&bh->b_state, ~(unsigned long)BH_Dirty, __ATOMIC_SEQ_CST);
}

/* The file is thrown away, and what was to be written with it. */
void block_invalidate_folio(struct folio *folio)
{
	clear_buffer_dirty(&folio->page);
	try_to_free_buffers(folio);
}

void mark_buffer_dirty(struct buffer_head *bh)
{
	struct page *page = bh->b_page;
	journal(J_BUFFER_DIRTY, pid_tgid(current), page->mapping->host->i_ino, page->index, 0);
	if (__atomic_fetch_or(&bh->b_state, BH_Dirty, __ATOMIC_SEQ_CST) & BH_Dirty)
		return;
	if (!(__atomic_fetch_or(&page->flags, PG_dirty, __ATOMIC_SEQ_CST) & PG_dirty))
		__folio_mark_dirty(page_folio(page), page->mapping, 0);
}

void __block_commit_write(struct inode *inode, struct page *page)
{
	struct buffer_head *bh = (struct buffer_head *)page->private;
	(void)inode;
	bh->b_state |= BH_Uptodate;
	mark_buffer_dirty(bh);
}

void block_write_end(struct inode *inode, struct page *page, size_t copied)
{
	if (copied)
		__block_commit_write(inode, page);
}
