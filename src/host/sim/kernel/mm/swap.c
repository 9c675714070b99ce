/* Which pages of files are in use: two lists, a page that is used again goes from the inactive to the active one. */
#include "fs.h"
#include "journal.h"
#include "vmstat.h"

struct pglist_data contig_page_data;

void lruvec_init(void)
{
	unsigned int i;
	for (i = 0; i < NR_LRU_LISTS; i++)
		INIT_LIST_HEAD(&contig_page_data.__lruvec.lists[i]);
	init_waitqueue_head(&contig_page_data.kswapd_wait);
	contig_page_data.kswapd_order = -1;
}

enum lru_list folio_lru_list(const struct folio *folio)
{
	return folio->flags & PG_active ? LRU_ACTIVE_FILE : LRU_INACTIVE_FILE;
}

/* The lists are locked. */
void lruvec_add_folio(struct lruvec *lruvec, struct folio *folio)
{
	enum lru_list lru = folio_lru_list(folio);
	set_page_flag(&folio->page, PG_lru);
	list_add(&folio->lru, &lruvec->lists[lru]);
	mod_node_page_state(NR_LRU_BASE + lru, 1);
}

void lruvec_del_folio(struct lruvec *lruvec, struct folio *folio)
{
	(void)lruvec;
	mod_node_page_state(NR_LRU_BASE + folio_lru_list(folio), -1);
	list_del_init(&folio->lru);
	clear_page_flag(&folio->page, PG_lru);
}

void folio_add_lru(struct folio *folio)
{
	struct lruvec *lruvec = &contig_page_data.__lruvec;
	u64 flags = _raw_spin_lock_irqsave(&lruvec->lru_lock);
	lruvec_add_folio(lruvec, folio);
	_raw_spin_unlock_irqrestore(&lruvec->lru_lock, flags);
}

/* The last reference is gone: so is the page's place on its list. */
void __page_cache_release(struct folio *folio)
{
	struct lruvec *lruvec = &contig_page_data.__lruvec;
	u64 flags = _raw_spin_lock_irqsave(&lruvec->lru_lock);
	if (folio->flags & PG_lru)
		lruvec_del_folio(lruvec, folio);
	_raw_spin_unlock_irqrestore(&lruvec->lru_lock, flags);
}

void folio_activate(struct folio *folio)
{
	struct lruvec *lruvec = &contig_page_data.__lruvec;
	u64 flags = _raw_spin_lock_irqsave(&lruvec->lru_lock);
	if ((folio->flags & PG_lru) && !(folio->flags & PG_active)) {
		lruvec_del_folio(lruvec, folio);
		set_page_flag(&folio->page, PG_active);
		lruvec_add_folio(lruvec, folio);
	}
	_raw_spin_unlock_irqrestore(&lruvec->lru_lock, flags);
}

/* Used once: referenced. Used twice: active. */
void folio_mark_accessed(struct folio *folio)
{
	if (!(folio->flags & PG_referenced)) {
		set_page_flag(&folio->page, PG_referenced);
	} else if (!(folio->flags & PG_active)) {
		folio_activate(folio);
		clear_page_flag(&folio->page, PG_referenced);
	}
}

void mark_page_accessed(struct page *page)
{
	journal(J_PAGE_ACCESSED, pid_tgid(current), page_to_pfn(page), 0, 0);
	folio_mark_accessed(page_folio(page));
}
