/* Zones, their lists of pages, and what is counted of them: names and order of Linux's counters. */
#pragma once
#include "mm.h"

enum lru_list { LRU_INACTIVE_ANON, LRU_ACTIVE_ANON, LRU_INACTIVE_FILE, LRU_ACTIVE_FILE, LRU_UNEVICTABLE, NR_LRU_LISTS };

enum zone_stat_item { NR_FREE_PAGES, NR_VM_ZONE_STAT_ITEMS };

enum node_stat_item {
	NR_LRU_BASE,
	NR_INACTIVE_ANON = NR_LRU_BASE,
	NR_ACTIVE_ANON,
	NR_INACTIVE_FILE,
	NR_ACTIVE_FILE,
	NR_UNEVICTABLE,
	NR_ANON_MAPPED,
	NR_FILE_PAGES,
	NR_FILE_DIRTY,
	NR_WRITEBACK,
	NR_VMSCAN_WRITE,
	NR_VM_NODE_STAT_ITEMS,
};

struct lruvec {
	struct list_head lists[NR_LRU_LISTS];
	spinlock_t lru_lock;
};

enum zone_watermarks { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };

struct zone {
	unsigned long _watermark[NR_WMARK];
	spinlock_t lock;
	struct list_head free_list[MAX_ORDER];
	unsigned long nr_free;
};
bool zone_watermark_ok(enum zone_watermarks mark);

struct scan_control {
	unsigned long nr_to_reclaim;
	s8 order;
	s8 priority;
	gfp_t gfp_mask;
	unsigned long nr_scanned;
	unsigned long nr_reclaimed;
	unsigned long nr_dirty;
};

struct reclaim_stat {
	unsigned int nr_dirty;
	unsigned int nr_unqueued_dirty;
	unsigned int nr_congested;
	unsigned int nr_writeback;
	unsigned int nr_immediate;
	unsigned int nr_pageout;
	unsigned int nr_activate0;
	unsigned int nr_activate1;
	unsigned int nr_ref_keep;
	unsigned int nr_unmap_fail;
	unsigned int nr_lazyfree_fail;
};

struct oom_control {
	gfp_t gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	long chosen_points;
};
extern struct mutex oom_lock;
bool out_of_memory(struct oom_control *oc);
bool tsk_is_oom_victim(struct task_struct *tsk);
unsigned long try_to_free_pages(int order, gfp_t gfp_mask);
void wakeup_kswapd(gfp_t gfp_flags, int order);

struct pglist_data {
	struct lruvec __lruvec;
	int node_id;
	struct wait_queue_head kswapd_wait;
	struct task_struct *kswapd;
	int kswapd_order;
	int kswapd_failures;
};
extern struct pglist_data contig_page_data;
extern atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
extern atomic_long_t vm_node_stat[NR_VM_NODE_STAT_ITEMS];

static __always_inline void mod_zone_page_state(enum zone_stat_item item, long delta)
{
	__atomic_add_fetch(&vm_zone_stat[item].counter, delta, __ATOMIC_SEQ_CST);
}
static __always_inline void mod_node_page_state(unsigned int item, long delta)
{
	__atomic_add_fetch(&vm_node_stat[item].counter, delta, __ATOMIC_SEQ_CST);
}
static __always_inline unsigned long node_page_state(unsigned int item)
{
	return (unsigned long)READ_ONCE(vm_node_stat[item].counter);
}

void lruvec_init(void);
enum lru_list folio_lru_list(const struct folio *folio);
void lruvec_add_folio(struct lruvec *lruvec, struct folio *folio);
void lruvec_del_folio(struct lruvec *lruvec, struct folio *folio);
