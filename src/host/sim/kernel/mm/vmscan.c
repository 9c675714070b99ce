/* Getting memory back: pages of files that nobody has used lately are dropped, by kswapd or by who needs a page now. */
#include "fs.h"
#include "journal.h"
#include "vmstat.h"

#define DEF_PRIORITY 12
#define SWAP_CLUSTER_MAX 32UL
#define MAX_RECLAIM_RETRIES 16
#define ZONE_NORMAL 2

bool get_page_unless_zero(struct page *page)
{
	int count = READ_ONCE(page->_refcount.counter);
	while (count)
		if (__atomic_compare_exchange_n(&page->_refcount.counter, &count, count + 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* Takes up to `nr` pages off the far end of a list, with a reference to each. */
unsigned long isolate_lru_folios(unsigned long nr, struct lruvec *lruvec, enum lru_list lru, struct list_head *taken)
{
	unsigned long count = 0, scanned = 0;
	u64 flags = _raw_spin_lock_irqsave(&lruvec->lru_lock);
	while (scanned++ < nr && !list_empty(&lruvec->lists[lru])) {
		struct folio *folio = list_entry(lruvec->lists[lru].prev, struct folio, lru);
		if (!get_page_unless_zero(&folio->page)) {
			/* It is being freed; whoever does so takes it off. */
			list_del_init(&folio->lru);
			list_add(&folio->lru, &lruvec->lists[lru]);
			continue;
		}
		lruvec_del_folio(lruvec, folio);
		list_add(&folio->lru, taken);
		count++;
	}
	_raw_spin_unlock_irqrestore(&lruvec->lru_lock, flags);
	return count;
}

/* Back onto the list that it belongs to, unless it was dropped meanwhile. */
void folio_putback_lru(struct folio *folio)
{
	list_del_init(&folio->lru);
	if (READ_ONCE(folio->mapping))
		folio_add_lru(folio);
	put_page(&folio->page);
}

void putback_lru_folios(struct list_head *list)
{
	while (!list_empty(list))
		folio_putback_lru(list_first_entry(list, struct folio, lru));
}

/* 1 if the page is gone. It is locked; mapped ones and such as are in use go to the active list. */
unsigned long reclaim_folio(struct folio *folio, struct reclaim_stat *stat)
{
	struct address_space *mapping = folio->mapping;
	if (!mapping)
		return 0;
	if (folio->flags & PG_writeback) {
		stat->nr_writeback++;
		return 0;
	}
	if (folio->flags & PG_dirty) {
		stat->nr_dirty++;
		set_page_flag(&folio->page, PG_reclaim);
		return 0;
	}
	if (!try_to_free_buffers(folio))
		return 0;
	if (__remove_mapping(mapping, folio->index, &folio->page, true))
		return 1;
	set_page_flag(&folio->page, PG_active);
	stat->nr_activate1++;
	return 0;
}

unsigned long shrink_folio_list(struct list_head *list, struct reclaim_stat *stat)
{
	unsigned long reclaimed = 0;
	struct list_head *pos, *next;
	list_for_each_safe(pos, next, list) {
		struct folio *folio = list_entry(pos, struct folio, lru);
		unsigned long gone;
		if (!trylock_page(&folio->page))
			continue;
		gone = reclaim_folio(folio, stat);
		unlock_page(&folio->page);
		if (!gone)
			continue;
		list_del_init(&folio->lru);
		put_page(&folio->page);
		reclaimed++;
	}
	return reclaimed;
}

unsigned long shrink_inactive_list(unsigned long nr_to_scan, struct lruvec *lruvec, struct scan_control *sc)
{
	struct reclaim_stat stat;
	struct list_head list = LIST_HEAD_INIT(list);
	unsigned long taken = isolate_lru_folios(nr_to_scan, lruvec, LRU_INACTIVE_FILE, &list), reclaimed;
	memset(&stat, 0, sizeof(stat));
	if (!taken)
		return 0;
	reclaimed = shrink_folio_list(&list, &stat);
	putback_lru_folios(&list);
	sc->nr_scanned += taken;
	sc->nr_dirty += stat.nr_dirty + stat.nr_writeback;
	journal(J_SHRINK, pid_tgid(current), taken, reclaimed, (u64)sc->priority);
	trace(mm_vmscan_lru_shrink_inactive, 0, taken, reclaimed, &stat, sc->priority, 1);
	return reclaimed;
}

/* The oldest active pages get another round on the inactive list. */
void shrink_active_list(unsigned long nr_to_scan, struct lruvec *lruvec)
{
	struct list_head list = LIST_HEAD_INIT(list);
	struct list_head *pos;
	isolate_lru_folios(nr_to_scan, lruvec, LRU_ACTIVE_FILE, &list);
	list_for_each(pos, &list)
		clear_page_flag(&list_entry(pos, struct folio, lru)->page, PG_active | PG_referenced);
	putback_lru_folios(&list);
}

unsigned long shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc)
{
	unsigned long inactive = node_page_state(NR_INACTIVE_FILE), reclaimed = 0;
	unsigned long left = max(inactive >> sc->priority, SWAP_CLUSTER_MAX);
	if (inactive < node_page_state(NR_ACTIVE_FILE))
		shrink_active_list(SWAP_CLUSTER_MAX, lruvec);
	for (; left >= SWAP_CLUSTER_MAX && reclaimed < sc->nr_to_reclaim; left -= SWAP_CLUSTER_MAX)
		reclaimed += shrink_inactive_list(SWAP_CLUSTER_MAX, lruvec, sc);
	return reclaimed;
}

/* Ever larger parts of the lists, until enough is free. Dirty pages are left to the flusher, which is told. */
unsigned long do_try_to_free_pages(struct scan_control *sc)
{
	for (; sc->priority >= 0 && sc->nr_reclaimed < sc->nr_to_reclaim; sc->priority--)
		sc->nr_reclaimed += shrink_lruvec(&contig_page_data.__lruvec, sc);
	if (sc->nr_dirty)
		wakeup_flusher_threads(WB_REASON_VMSCAN);
	return sc->nr_reclaimed;
}

unsigned long try_to_free_pages(int order, gfp_t gfp_mask)
{
	struct scan_control sc = {
		.nr_to_reclaim = SWAP_CLUSTER_MAX,
		.order = (s8)order,
		.priority = DEF_PRIORITY,
		.gfp_mask = gfp_mask,
	};
	unsigned long nr_reclaimed;
	journal(J_DIRECT_RECLAIM, pid_tgid(current), 0, (u64)vm_zone_stat[NR_FREE_PAGES].counter, gfp_mask);
	trace(mm_vmscan_direct_reclaim_begin, order, gfp_mask);
	current->flags |= PF_MEMALLOC;
	nr_reclaimed = do_try_to_free_pages(&sc);
	current->flags &= ~(u32)PF_MEMALLOC;
	journal(J_DIRECT_RECLAIM, pid_tgid(current), 1, nr_reclaimed, 0);
	trace(mm_vmscan_direct_reclaim_end, nr_reclaimed);
	return nr_reclaimed;
}

bool kswapd_wanted(void) { return READ_ONCE(contig_page_data.kswapd_order) >= 0; }

/* Frees until the high watermark is reached, or no list has anything to give. */
void balance_pgdat(int order)
{
	struct scan_control sc = { .nr_to_reclaim = SWAP_CLUSTER_MAX, .order = (s8)order, .priority = DEF_PRIORITY };
	while (!zone_watermark_ok(WMARK_HIGH) && sc.priority > 0) {
		unsigned long before = sc.nr_reclaimed;
		sc.nr_reclaimed += shrink_lruvec(&contig_page_data.__lruvec, &sc);
		if (sc.nr_reclaimed == before)
			sc.priority--;
	}
	if (sc.nr_dirty)
		wakeup_flusher_threads(WB_REASON_VMSCAN);
	contig_page_data.kswapd_failures = sc.nr_reclaimed ? 0 : contig_page_data.kswapd_failures + 1;
}

int kswapd(void *data)
{
	struct pglist_data *pgdat = data;
	current->flags |= PF_MEMALLOC | PF_KSWAPD;
	for (;;) {
		int order = pgdat->kswapd_order;
		journal(J_KSWAPD, 1, (u64)order, 0, 0);
		trace(mm_vmscan_kswapd_wake, 0, ZONE_NORMAL, order);
		WRITE_ONCE(pgdat->kswapd_order, -1);
		balance_pgdat(order);
		journal(J_KSWAPD, 0, 0, 0, 0);
		trace(mm_vmscan_kswapd_sleep, 0);
		wait_event_interruptible(&pgdat->kswapd_wait, kswapd_wanted());
	}
	return 0;
}

/* The thread is started when it is wanted for the first time, by a thread that can. */
void kswapd_run(void)
{
	struct pglist_data *pgdat = &contig_page_data;
	if (!pgdat->kswapd && kswapd_wanted())
		pgdat->kswapd = kthread_run(kswapd, pgdat, "kswapd0");
}

void wakeup_kswapd(gfp_t gfp_flags, int order)
{
	struct pglist_data *pgdat = &contig_page_data;
	if (kswapd_wanted() || pgdat->kswapd_failures >= MAX_RECLAIM_RETRIES)
		return;
	journal(J_KSWAPD, 2, (u64)order, gfp_flags, 0);
	trace(mm_vmscan_wakeup_kswapd, 0, ZONE_NORMAL, order, gfp_flags);
	WRITE_ONCE(pgdat->kswapd_order, order);
	if (pgdat->kswapd)
		wake_up(&pgdat->kswapd_wait);
	else
		wakeup_flusher_threads(WB_REASON_VMSCAN);
}
