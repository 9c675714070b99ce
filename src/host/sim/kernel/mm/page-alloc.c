/* Physical pages: a buddy allocator over all memory the loader left free. */
#include "irq.h"
#include "journal.h"
#include "mm.h"
#include "time.h"
#include "vmstat.h"

atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
atomic_long_t vm_node_stat[NR_VM_NODE_STAT_ITEMS];

#define MAX_RECLAIM_RETRIES 4
#define PAGE_ALLOC_COSTLY_ORDER 3

static struct zone zone;

struct page *mem_map;
u64 max_pfn;

void clear_page(void *page);

unsigned long nr_free_buffer_pages(void) { return zone.nr_free; }

void __free_one_page(struct page *page, unsigned int order)
{
	u64 pfn = page_to_pfn(page);
	zone.nr_free += 1UL << order;
	mod_zone_page_state(NR_FREE_PAGES, 1L << order);
	while (order < MAX_ORDER - 1) {
		u64 buddy_pfn = pfn ^ (1UL << order);
		struct page *buddy = pfn_to_page(buddy_pfn);
		if (buddy_pfn >= max_pfn || !(buddy->flags & PG_buddy) || buddy->order != order)
			break;
		list_del_init(&buddy->lru);
		buddy->flags = 0;
		pfn &= ~(1UL << order);
		order++;
	}
	page = pfn_to_page(pfn);
	page->flags = PG_buddy;
	page->order = order;
	list_add(&page->lru, &zone.free_list[order]);
}

struct page *__rmqueue_smallest(unsigned int order)
{
	unsigned int current_order;
	for (current_order = order; current_order < MAX_ORDER; current_order++) {
		struct page *page;
		if (list_empty(&zone.free_list[current_order]))
			continue;
		page = list_first_entry(&zone.free_list[current_order], struct page, lru);
		list_del_init(&page->lru);
		zone.nr_free -= 1UL << order;
		mod_zone_page_state(NR_FREE_PAGES, -(1L << order));
		while (current_order > order) {
			struct page *half = page + (1UL << --current_order);
			half->flags = PG_buddy;
			half->order = current_order;
			list_add(&half->lru, &zone.free_list[current_order]);
		}
		page->flags = 0;
		page->order = order;
		return page;
	}
	return NULL;
}

void prep_new_page(struct page *page, unsigned int order, gfp_t gfp)
{
	unsigned int i;
	atomic_set(&page->_refcount, 1);
	page->mapping = NULL;
	page->slab_cache = NULL;
	page->private = 0;
	if (!(gfp & __GFP_ZERO))
		return;
	for (i = 0; i < 1u << order; i++)
		clear_page(page_address(page + i));
}

bool zone_watermark_ok(enum zone_watermarks mark) { return READ_ONCE(zone.nr_free) >= zone._watermark[mark]; }

/* A block, if `mark` pages are left after it. */
struct page *get_page_from_freelist(gfp_t gfp, unsigned int order, unsigned long mark)
{
	u64 flags = _raw_spin_lock_irqsave(&zone.lock);
	struct page *page = NULL;
	if (zone.nr_free >= mark + (1UL << order))
		page = __rmqueue_smallest(order);
	_raw_spin_unlock_irqrestore(&zone.lock, flags);
	if (page)
		prep_new_page(page, order, gfp);
	return page;
}

int gfp_migratetype(gfp_t gfp) { return (int)(gfp >> 3 & 3); }

/* How far down this task may go: who frees memory all the way, who cannot wait or is to die half of it. */
unsigned long alloc_mark(gfp_t gfp)
{
	unsigned long min = zone._watermark[WMARK_MIN];
	if (current->flags & PF_MEMALLOC)
		return 0;
	return (gfp & __GFP_HIGH) || tsk_is_oom_victim(current) ? min / 2 : min;
}

/* Kills somebody, unless somebody else is at it; *progress: it is worth trying again. */
struct page *__alloc_pages_may_oom(gfp_t gfp, unsigned int order, bool *progress)
{
	struct oom_control oc = { .gfp_mask = gfp, .order = (int)order };
	struct page *page;
	if (!mutex_trylock(&oom_lock)) {
		*progress = true;
		return NULL;
	}
	page = get_page_from_freelist(gfp, order, zone._watermark[WMARK_HIGH]);
	if (!page)
		*progress = out_of_memory(&oc);
	mutex_unlock(&oom_lock);
	return page;
}

void wait_for_memory(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(1);
}

/* Below the low watermark: kswapd is woken, and who may sleep frees pages itself until there is one. */
struct page *__alloc_pages_slowpath(gfp_t gfp, unsigned int order)
{
	bool can_sleep = (gfp & __GFP_DIRECT_RECLAIM) && !preempt_count() && !irqs_disabled() &&
			 !(current->flags & (PF_MEMALLOC | PF_IDLE));
	int no_progress_loops = 0;
	for (;;) {
		struct page *page;
		bool progress = false;
		if (gfp & __GFP_KSWAPD_RECLAIM)
			wakeup_kswapd(gfp, (int)order);
		page = get_page_from_freelist(gfp, order, alloc_mark(gfp));
		if (page || !can_sleep)
			return page;
		no_progress_loops = try_to_free_pages((int)order, gfp) ? 0 : no_progress_loops + 1;
		page = get_page_from_freelist(gfp, order, alloc_mark(gfp));
		if (page || (gfp & __GFP_NORETRY) || order > PAGE_ALLOC_COSTLY_ORDER)
			return page;
		if (no_progress_loops >= MAX_RECLAIM_RETRIES) {
			if (tsk_is_oom_victim(current))
				return NULL;
			page = __alloc_pages_may_oom(gfp, order, &progress);
			if (page || !progress)
				return page;
			no_progress_loops = 0;
		}
		if (no_progress_loops || progress)
			wait_for_memory();
	}
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;
	if (order >= MAX_ORDER)
		return NULL;
	page = get_page_from_freelist(gfp, order, zone._watermark[WMARK_LOW]);
	if (unlikely(!page))
		page = __alloc_pages_slowpath(gfp, order);
	if (unlikely(!page) && !(gfp & __GFP_NOWARN))
		printk("page allocation failure\n");
	journal(J_PAGE_ALLOC, page ? page_to_pfn(page) : ~0UL, order, gfp, 0);
	trace(mm_page_alloc, page, order, gfp, gfp_migratetype(gfp));
	return page;
}

void free_unref_page(struct page *page, unsigned int order)
{
	u64 flags;
	journal(J_PAGE_FREE, page_to_pfn(page), order, 0, 0);
	trace(mm_page_free, page, order);
	flags = _raw_spin_lock_irqsave(&zone.lock);
	__free_one_page(page, order);
	_raw_spin_unlock_irqrestore(&zone.lock, flags);
}

void __free_pages(struct page *page, unsigned int order)
{
	if (atomic_dec_and_test(&page->_refcount))
		free_unref_page(page, order);
}

void put_page(struct page *page)
{
	if (!atomic_dec_and_test(&page->_refcount))
		return;
	if (page->flags & PG_lru)
		__page_cache_release(page_folio(page));
	free_unref_page(page, 0);
}

/* A block of 2^order pages becomes that many single ones. */
void split_page(struct page *page, unsigned int order)
{
	unsigned int i;
	page->order = 0;
	for (i = 1; i < 1u << order; i++) {
		page[i].flags = 0;
		page[i].order = 0;
		page[i].mapping = NULL;
		atomic_set(&page[i]._refcount, 1);
	}
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	struct page *page = alloc_pages(gfp | __GFP_ZERO, 0);
	return page ? (unsigned long)page_address(page) : 0;
}

void free_page(unsigned long address)
{
	if (address)
		__free_pages(virt_to_page((void *)address), 0);
}

/* Hands [start, end) to the allocator in the largest aligned blocks it consists of. */
void memblock_free_pages(u64 start, u64 end)
{
	u64 pfn = (start + PAGE_SIZE - 1) >> PAGE_SHIFT;
	u64 end_pfn = end >> PAGE_SHIFT;
	while (pfn < end_pfn) {
		unsigned int order = MAX_ORDER - 1;
		while ((pfn & ((1UL << order) - 1)) || pfn + (1UL << order) > end_pfn)
			order--;
		__free_one_page(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/* The page array comes first after the image; memory is zero, so its entries are. */
void page_alloc_init(u64 memory_size, u64 free_start, u64 kernel_end)
{
	unsigned int order;
	u64 map_start = PAGE_ALIGN(kernel_end);
	for (order = 0; order < MAX_ORDER; order++)
		INIT_LIST_HEAD(&zone.free_list[order]);
	lruvec_init();
	max_pfn = memory_size >> PAGE_SHIFT;
	mem_map = __va(map_start);
	memblock_free_pages(free_start, 0x1000000);
	memblock_free_pages(map_start + max_pfn * sizeof(struct page), memory_size);
	totalram_pages = zone.nr_free;
	zone._watermark[WMARK_MIN] = totalram_pages / 64;
	zone._watermark[WMARK_LOW] = zone._watermark[WMARK_MIN] * 5 / 4;
	zone._watermark[WMARK_HIGH] = zone._watermark[WMARK_MIN] * 3 / 2;
}
