/* Small objects: pages cut into equal pieces, free pieces linked through their first word. */
#include "irq.h"
#include "journal.h"
#include "mm.h"

#define NUMA_NO_NODE (-1)
#define RETURN_ADDRESS ((unsigned long)__builtin_return_address(0))

#define KMALLOC_MIN_SHIFT 5
#define KMALLOC_CACHES 8

static struct kmem_cache kmalloc_caches[KMALLOC_CACHES];

void kmem_cache_create(struct kmem_cache *cache, const char *name, unsigned int size)
{
	cache->name = name;
	cache->object_size = size;
	cache->size = (size + 15) & ~15u;
	cache->oo = cache->size > 1024 ? 1 : 0;
	INIT_LIST_HEAD(&cache->partial);
}

void kmem_cache_init(void)
{
	static const char *const names[KMALLOC_CACHES] = {
		"kmalloc-32", "kmalloc-64", "kmalloc-128", "kmalloc-256",
		"kmalloc-512", "kmalloc-1k", "kmalloc-2k", "kmalloc-4k",
	};
	unsigned int i;
	for (i = 0; i < KMALLOC_CACHES; i++)
		kmem_cache_create(&kmalloc_caches[i], names[i], 1u << (KMALLOC_MIN_SHIFT + i));
}

/* All pages of a slab point to its first one through `mapping`, so that kfree finds it. */
struct page *allocate_slab(struct kmem_cache *cache, gfp_t gfp)
{
	struct page *page = alloc_pages(gfp & ~__GFP_ZERO, cache->oo);
	char *object, *end;
	unsigned int i;
	if (!page)
		return NULL;
	for (i = 0; i < 1u << cache->oo; i++) {
		page[i].flags = PG_slab;
		page[i].slab_cache = cache;
		page[i].mapping = (struct address_space *)page;
	}
	page->inuse = 0;
	page->freelist = NULL;
	end = (char *)page_address(page) + (PAGE_SIZE << cache->oo);
	for (object = page_address(page); object + cache->size <= end; object += cache->size) {
		*(void **)object = page->freelist;
		page->freelist = object;
	}
	cache->nr_slabs++;
	return page;
}

/* Takes a piece off a slab; the cache is locked. */
void *get_freelist(struct kmem_cache *cache, struct page *page)
{
	void *object = page->freelist;
	page->freelist = *(void **)object;
	page->inuse++;
	if (!page->freelist)
		list_del_init(&page->lru);
	cache->nr_objects++;
	return object;
}

void *___slab_alloc(struct kmem_cache *cache, gfp_t gfp, u64 *flags)
{
	struct page *page;
	_raw_spin_unlock_irqrestore(&cache->list_lock, *flags);
	page = allocate_slab(cache, gfp);
	*flags = _raw_spin_lock_irqsave(&cache->list_lock);
	if (!page)
		return NULL;
	list_add(&page->lru, &cache->partial);
	return get_freelist(cache, page);
}

void *slab_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	u64 flags = _raw_spin_lock_irqsave(&cache->list_lock);
	void *object;
	if (likely(!list_empty(&cache->partial)))
		object = get_freelist(cache, list_first_entry(&cache->partial, struct page, lru));
	else
		object = ___slab_alloc(cache, gfp, &flags);
	_raw_spin_unlock_irqrestore(&cache->list_lock, flags);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = slab_alloc(cache, gfp);
	journal(J_CACHE_ALLOC, (u64)object, cache->object_size, cache->size, RETURN_ADDRESS);
	trace(kmem_cache_alloc, RETURN_ADDRESS, object, cache, gfp, NUMA_NO_NODE);
	return object;
}

void discard_slab(struct kmem_cache *cache, struct page *page)
{
	unsigned int i;
	for (i = 0; i < 1u << cache->oo; i++) {
		page[i].flags = 0;
		page[i].slab_cache = NULL;
		page[i].mapping = NULL;
	}
	__free_pages(page, cache->oo);
}

void slab_free(struct kmem_cache *cache, void *object)
{
	struct page *page = (struct page *)virt_to_page(object)->mapping;
	u64 flags = _raw_spin_lock_irqsave(&cache->list_lock);
	bool was_full = !page->freelist;
	bool empty;
	*(void **)object = page->freelist;
	page->freelist = object;
	cache->nr_objects--;
	empty = !--page->inuse;
	if (was_full && !empty)
		list_add(&page->lru, &cache->partial);
	if (empty) {
		if (!was_full)
			list_del_init(&page->lru);
		cache->nr_slabs--;
	}
	_raw_spin_unlock_irqrestore(&cache->list_lock, flags);
	if (empty)
		discard_slab(cache, page);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	journal(J_CACHE_FREE, (u64)object, RETURN_ADDRESS, 0, 0);
	trace(kmem_cache_free, RETURN_ADDRESS, object, cache);
	slab_free(cache, object);
}

struct kmem_cache *kmalloc_slab(size_t size)
{
	unsigned int i;
	for (i = 0; i < KMALLOC_CACHES; i++)
		if (size <= kmalloc_caches[i].object_size)
			return &kmalloc_caches[i];
	return NULL;
}

void *__do_kmalloc(size_t size, gfp_t gfp, unsigned long caller)
{
	struct kmem_cache *cache = kmalloc_slab(size);
	void *object;
	if (!cache)
		return NULL;
	object = slab_alloc(cache, gfp);
	journal(J_KMALLOC, (u64)object, size, cache->size, caller);
	trace(kmalloc, caller, object, size, cache->size, gfp, NUMA_NO_NODE);
	return object;
}

void *__kmalloc(size_t size, gfp_t gfp) { return __do_kmalloc(size, gfp, RETURN_ADDRESS); }

void *kzalloc_size(size_t size, gfp_t gfp)
{
	void *object = __do_kmalloc(size, gfp | __GFP_ZERO, RETURN_ADDRESS);
	if (object)
		memset(object, 0, size);
	return object;
}

void kfree(const void *object)
{
	struct page *page;
	journal(J_KFREE, (u64)object, RETURN_ADDRESS, 0, 0);
	trace(kfree, RETURN_ADDRESS, object);
	if (!object)
		return;
	page = virt_to_page(object);
	if (!(page->flags & PG_slab))
		panic("kfree of something kmalloc never gave");
	slab_free(page->slab_cache, (void *)object);
}
