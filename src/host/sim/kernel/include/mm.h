/* Physical pages, the slab, address spaces, user copies. */
#pragma once
#include "cpu.h"
#include "list.h"
#include "sched.h"
#include "uapi.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_OFFSET 0xffff888000000000UL
#define KERNEL_BASE 0xffffffff80000000UL
#define TASK_SIZE 0x00007ffffffff000UL
#define STACK_TOP 0x00007ffffffff000UL
#define STACK_PAGES 32
#define MMAP_BASE 0x00007f0000000000UL
#define MAX_ORDER 11

#define __va(phys) ((void *)((u64)(phys) + PAGE_OFFSET))
#define __pa(addr) ((u64)(addr) - PAGE_OFFSET)

#define GFP_KERNEL 0xcc0u
#define GFP_ATOMIC 0xa20u
#define __GFP_ZERO 0x100u
#define GFP_HIGHUSER_MOVABLE 0x100ccau
#define __GFP_HIGHUSER 0x10000au
#define __GFP_HIGH 0x20u
#define __GFP_IO 0x40u
#define __GFP_FS 0x80u
#define __GFP_DIRECT_RECLAIM 0x400u
#define __GFP_KSWAPD_RECLAIM 0x800u
#define __GFP_NOWARN 0x2000u
#define __GFP_NORETRY 0x10000u
/* Pages that nobody has asked for are not worth killing for. */
#define GFP_READAHEAD (GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN)

enum pageflags {
	PG_locked = 1,
	PG_uptodate = 2,
	PG_dirty = 4,
	PG_writeback = 8,
	PG_slab = 16,
	PG_buddy = 32,
	PG_error = 64,
	PG_swapbacked = 128,
	PG_referenced = 256,
	PG_lru = 512,
	PG_active = 1024,
	PG_readahead = 2048,
	PG_private = 4096,
	PG_reclaim = 8192,
};

struct kmem_cache;
struct address_space;

struct page {
	volatile unsigned int flags;
	atomic_t _refcount;
	struct address_space *mapping;
	unsigned long index;
	struct list_head lru;
	unsigned long private;
	struct kmem_cache *slab_cache;
	void *freelist;
	unsigned int inuse;
	unsigned int order;
};

/* A page as the file and memory code names it: folios here are single pages. */
struct folio {
	union {
		struct {
			volatile unsigned int flags;
			atomic_t _refcount;
			struct address_space *mapping;
			unsigned long index;
			struct list_head lru;
			unsigned long private;
		};
		struct page page;
	};
};
static __always_inline struct folio *page_folio(struct page *page) { return (struct folio *)page; }

extern struct page *mem_map;
extern u64 max_pfn;

static __always_inline struct page *pfn_to_page(u64 pfn) { return mem_map + pfn; }
static __always_inline u64 page_to_pfn(const struct page *page) { return (u64)(page - mem_map); }
static __always_inline u64 page_to_phys(const struct page *page) { return page_to_pfn(page) << PAGE_SHIFT; }
static __always_inline void *page_address(const struct page *page) { return __va(page_to_phys(page)); }
static __always_inline struct page *virt_to_page(const void *addr) { return pfn_to_page(__pa(addr) >> PAGE_SHIFT); }
static __always_inline void get_page(struct page *page) { atomic_inc(&page->_refcount); }

void set_page_flag(struct page *page, u32 flag);
void clear_page_flag(struct page *page, u32 flag);
void folio_add_lru(struct folio *folio);
void folio_activate(struct folio *folio);
void folio_mark_accessed(struct folio *folio);
void mark_page_accessed(struct page *page);
void __page_cache_release(struct folio *folio);

void page_alloc_init(u64 memory_size, u64 free_start, u64 kernel_end);
struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void split_page(struct page *page, unsigned int order);
void put_page(struct page *page);
unsigned long get_zeroed_page(gfp_t gfp);
void free_page(unsigned long address);

struct kmem_cache {
	const char *name;
	unsigned int object_size;
	unsigned int size;
	unsigned int oo;
	spinlock_t list_lock;
	struct list_head partial;
	unsigned long nr_slabs;
	unsigned long nr_objects;
};
unsigned long nr_free_buffer_pages(void);
void kmem_cache_init(void);
void kmem_cache_create(struct kmem_cache *cache, const char *name, unsigned int size);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
void *__kmalloc(size_t size, gfp_t gfp);
void *kzalloc_size(size_t size, gfp_t gfp);
void kfree(const void *object);
#define kmalloc(size, gfp) __kmalloc(size, gfp)
#define kzalloc(size, gfp) kzalloc_size(size, gfp)

#define VM_READ 1u
#define VM_WRITE 2u
#define VM_EXEC 4u
#define VM_GROWSDOWN 0x100u
#define VM_ACCOUNT 0x100000u

extern unsigned long totalram_pages;
long vm_memory_committed(void);
void vm_acct_memory(long pages);
void vm_unacct_memory(long pages);

#define _PAGE_PRESENT 1UL
#define _PAGE_RW 2UL
#define _PAGE_USER 4UL
#define _PAGE_ACCESSED 0x20UL
#define _PAGE_DIRTY 0x40UL
#define PTE_PFN_MASK 0x000ffffffffff000UL

typedef u64 pte_t;

struct vm_area_struct {
	unsigned long vm_end;
	unsigned long vm_start;
	unsigned long vm_flags;
	struct mm_struct *vm_mm;
	struct vm_area_struct *vm_next;
	struct file *vm_file;
	unsigned long vm_pgoff;
};

enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };
struct mm_rss_stat {
	struct {
		long counter;
	} count[NR_MM_COUNTERS];
};

struct mm_struct {
	u64 *pgd;
	atomic_t mm_users;
	int map_count;
	struct vm_area_struct *mmap;
	struct rw_semaphore mmap_lock;
	spinlock_t page_table_lock;
	unsigned long mmap_base;
	unsigned long total_vm;
	struct mm_rss_stat rss_stat;
	unsigned long pgtables_bytes;
	unsigned long start_code;
	unsigned long end_code;
	unsigned long start_data;
	unsigned long end_data;
	unsigned long start_brk;
	unsigned long brk;
	unsigned long start_stack;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
};

static __always_inline void mmap_read_lock(struct mm_struct *mm) { down_read(&mm->mmap_lock); }
static __always_inline int mmap_read_lock_killable(struct mm_struct *mm) { return down_read_killable(&mm->mmap_lock); }
static __always_inline int mmap_read_trylock(struct mm_struct *mm) { return down_read_trylock(&mm->mmap_lock); }
static __always_inline void mmap_read_unlock(struct mm_struct *mm) { up_read(&mm->mmap_lock); }
static __always_inline int mmap_write_lock_killable(struct mm_struct *mm) { return down_write_killable(&mm->mmap_lock); }
static __always_inline void mmap_write_unlock(struct mm_struct *mm) { up_write(&mm->mmap_lock); }

void add_mm_counter(struct mm_struct *mm, int member, long value);
void mm_page_counted(struct mm_struct *mm, struct page *page, long value);

#define FAULT_FLAG_WRITE 1u
#define VM_FAULT_MAJOR 4u
#define VM_FAULT_SIGBUS 2u
#define VM_FAULT_OOM 1u

struct mm_struct *mm_alloc(void);
void mmput(struct mm_struct *mm);
struct mm_struct *dup_mm(struct mm_struct *old);
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);
int insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);
unsigned long do_mmap(struct mm_struct *mm, struct file *file, unsigned long address, unsigned long len,
		      unsigned long flags, unsigned long pgoff);
unsigned long get_unmapped_area(struct mm_struct *mm, unsigned long len);
unsigned long arch_mmap_rnd(void);
unsigned int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags);
pte_t *walk_page_table(struct mm_struct *mm, unsigned long address, bool create);
void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end);
void exit_mmap(struct mm_struct *mm);
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long len);
void flush_tlb_mm(void);

/* Copies between kernel and user memory: bytes not copied; strncpy_from_user: length or -EFAULT. */
unsigned long _copy_from_user(void *to, const void *from, unsigned long n);
unsigned long _copy_to_user(void *to, const void *from, unsigned long n);
long strncpy_from_user(char *to, const char *from, long count);
unsigned long copy_user_generic(void *to, const void *from, unsigned long n);
bool access_ok(const void *address, unsigned long size);

extern u64 loader_pgd;
extern char _end[], __kernel_end[];

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strscpy(char *to, const char *from, size_t size);
void printk(const char *text);
void __noreturn panic(const char *reason);
