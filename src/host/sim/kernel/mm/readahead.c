/*
 * Reading ahead: a window of pages behind the one that is asked for, twice as long each time the reader comes to it, up to
 * 32 pages. The page in which the next window is to be started is marked.
 */
#include "fs.h"
#include "journal.h"

#define VM_READAHEAD_PAGES 32

void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping)
{
	(void)mapping;
	ra->ra_pages = VM_READAHEAD_PAGES;
	ra->prev_pos = -1;
}

/* Hands the pages that were added on to the file system. */
void read_pages(struct readahead_control *rac)
{
	if (!rac->_nr_pages)
		return;
	rac->mapping->a_ops->readahead(rac);
	rac->_index += rac->_nr_pages;
	rac->_nr_pages = 0;
}

/* Adds pages [_index, _index + nr_to_read) where they are absent, and has them read. */
void page_cache_ra_unbounded(struct readahead_control *ractl, unsigned long nr_to_read, unsigned long lookahead_size)
{
	unsigned long i, index = ractl->_index;
	for (i = 0; i < nr_to_read; i++) {
		struct page *page = find_get_page(ractl->mapping, index + i);
		if (!page) {
			page = __page_cache_alloc(GFP_READAHEAD);
			if (!page)
				break;
			if (!add_to_page_cache_lru(page, ractl->mapping, index + i, GFP_READAHEAD)) {
				if (i == nr_to_read - lookahead_size)
					set_page_flag(page, PG_readahead);
				put_page(page);
				ractl->_nr_pages++;
				continue;
			}
		}
		put_page(page);
		read_pages(ractl);
		ractl->_index++;
	}
	read_pages(ractl);
}

/* As far as the file goes. */
void do_page_cache_ra(struct readahead_control *ractl, unsigned long nr_to_read, unsigned long lookahead_size)
{
	unsigned long end = file_pages(ractl->mapping);
	journal(J_READAHEAD, pid_tgid(current), ractl->mapping->host->i_ino, ractl->_index, nr_to_read);
	if (ractl->_index < end) {
		if (nr_to_read > end - ractl->_index)
			nr_to_read = end - ractl->_index;
		page_cache_ra_unbounded(ractl, nr_to_read, lookahead_size);
	}
	journal(J_READAHEAD_DONE, pid_tgid(current), 0, 0, 0);
}

unsigned long roundup_pow_of_two(unsigned long n)
{
	unsigned long size = 1;
	while (size < n)
		size <<= 1;
	return size;
}

unsigned int get_init_ra_size(unsigned long size, unsigned long max)
{
	unsigned long newsize = roundup_pow_of_two(size);
	if (newsize <= max / 32)
		newsize *= 4;
	else if (newsize <= max / 4)
		newsize *= 2;
	return (unsigned int)min(newsize, max);
}

unsigned int get_next_ra_size(const struct file_ra_state *ra, unsigned long max)
{
	unsigned long cur = ra->size;
	if (cur < max / 16)
		return (unsigned int)(4 * cur);
	return (unsigned int)(cur <= max / 2 ? 2 * cur : max);
}

/* Where the reader is says what is worth reading: `folio` is the marked page that it has come to, or none. */
void ondemand_readahead(struct readahead_control *ractl, struct folio *folio, unsigned long req_size)
{
	struct file_ra_state *ra = ractl->ra;
	unsigned long max_pages = ra->ra_pages, index = ractl->_index;
	unsigned long prev_index = (unsigned long)ra->prev_pos >> PAGE_SHIFT;
	if (index && (index == ra->start + ra->size - ra->async_size || index == ra->start + ra->size)) {
		/* Just where it was expected: on to the next window. */
		ra->start += ra->size;
		ra->size = get_next_ra_size(ra, max_pages);
		ra->async_size = ra->size;
	} else if (folio) {
		/* Somebody else's mark. */
		ra->start = index + 1;
		ra->size = get_next_ra_size(ra, max_pages);
		ra->async_size = ra->size;
	} else if (!index || req_size > max_pages || index - prev_index <= 1) {
		ra->start = index;
		ra->size = get_init_ra_size(req_size, max_pages);
		ra->async_size = ra->size > req_size ? ra->size - (unsigned int)req_size : ra->size;
	} else {
		/* Here and there: what was asked for. */
		do_page_cache_ra(ractl, req_size, 0);
		return;
	}
	ractl->_index = ra->start;
	do_page_cache_ra(ractl, ra->size, ra->async_size);
}

void page_cache_sync_ra(struct readahead_control *ractl, unsigned long req_count)
{
	if (!ractl->ra)
		do_page_cache_ra(ractl, req_count, 0);
	else
		ondemand_readahead(ractl, NULL, req_count);
}

void page_cache_async_ra(struct readahead_control *ractl, struct folio *folio, unsigned long req_count)
{
	clear_page_flag(&folio->page, PG_readahead);
	ondemand_readahead(ractl, folio, req_count);
}
