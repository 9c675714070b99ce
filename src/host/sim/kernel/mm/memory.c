/* Page tables: walking, faulting pages in, copying them on fork, taking them away. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define PTE_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER)
#define PTE_COUNT 512

void clear_page(void *page);
struct vm_area_struct *vm_area_alloc(unsigned long start, unsigned long end, unsigned long flags);
void vm_area_free(struct vm_area_struct *vma);

void set_pte_at(struct mm_struct *mm, unsigned long address, pte_t *pte, u64 value);

static __always_inline u64 *table_of(u64 entry) { return __va(entry & PTE_PFN_MASK); }
static __always_inline struct page *pte_page(u64 pte) { return pfn_to_page((pte & PTE_PFN_MASK) >> PAGE_SHIFT); }

/* Threads that fault at the same time may both bring a table: the second one gives its own back. */
u64 *__pte_alloc(struct mm_struct *mm, u64 *slot)
{
	if (!(READ_ONCE(*slot) & _PAGE_PRESENT)) {
		unsigned long table = get_zeroed_page(GFP_KERNEL);
		if (!table)
			return NULL;
		_raw_spin_lock(&mm->page_table_lock);
		if (!(*slot & _PAGE_PRESENT)) {
			WRITE_ONCE(*slot, __pa(table) | PTE_TABLE);
			table = 0;
		}
		_raw_spin_unlock(&mm->page_table_lock);
		free_page(table);
	}
	return table_of(*slot);
}

/* Maps a page whose reference is the caller's, unless the entry is no longer what it was: then the page goes back. */
void finish_fault(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u64 orig, struct page *page, u64 prot)
{
	struct mm_struct *mm = vma->vm_mm;
	_raw_spin_lock(&mm->page_table_lock);
	if (*pte != orig) {
		_raw_spin_unlock(&mm->page_table_lock);
		invlpg(address & PAGE_MASK);
		put_page(page);
		return;
	}
	if (orig & _PAGE_PRESENT)
		mm_page_counted(mm, pte_page(orig), -1);
	mm_page_counted(mm, page, 1);
	set_pte_at(mm, address, pte, page_to_phys(page) | prot);
	_raw_spin_unlock(&mm->page_table_lock);
	if (orig & _PAGE_PRESENT)
		put_page(pte_page(orig));
}

/* The entry of a user address, or NULL where a table is missing (and could not, or should not, be made). */
pte_t *walk_page_table(struct mm_struct *mm, unsigned long address, bool create)
{
	u64 *table = mm->pgd;
	int shift;
	for (shift = 39; shift > 12; shift -= 9) {
		u64 *slot = &table[address >> shift & 511];
		if (create)
			table = __pte_alloc(mm, slot);
		else
			table = *slot & _PAGE_PRESENT ? table_of(*slot) : NULL;
		if (!table)
			return NULL;
	}
	return &table[address >> 12 & 511];
}

void set_pte_at(struct mm_struct *mm, unsigned long address, pte_t *pte, u64 value)
{
	WRITE_ONCE(*pte, value);
	if (current->mm == mm)
		invlpg(address & PAGE_MASK);
}

void flush_tlb_mm(void) { write_cr3(read_cr3()); }

void add_mm_counter(struct mm_struct *mm, int member, long value)
{
	long count = __atomic_add_fetch(&mm->rss_stat.count[member].counter, value, __ATOMIC_SEQ_CST);
	journal(J_RSS_STAT, (u64)mm, (u64)member, (u64)count, 0);
	trace(rss_stat, mm, member, count);
}

/* A page is mapped, or no longer, where `value` is negative. */
void mm_page_counted(struct mm_struct *mm, struct page *page, long value)
{
	add_mm_counter(mm, READ_ONCE(page->flags) & PG_swapbacked ? MM_ANONPAGES : MM_FILEPAGES, value);
}

/* A page of the address space's own, not of any file. */
struct page *alloc_anon_page(gfp_t gfp)
{
	struct page *page = alloc_pages(gfp, 0);
	if (page)
		page->flags |= PG_swapbacked;
	return page;
}

unsigned int do_anonymous_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte)
{
	struct page *page = alloc_anon_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
	u64 prot = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
	if (!page)
		return VM_FAULT_OOM;
	if (vma->vm_flags & VM_WRITE)
		prot |= _PAGE_RW;
	finish_fault(vma, address, pte, 0, page, prot);
	return 0;
}

/* A program that faults here will fault near here: the window lies around the address. */
void do_sync_mmap_readahead(struct file *file, unsigned long index)
{
	struct file_ra_state *ra = &file->f_ra;
	struct readahead_control ractl = { .file = file, .mapping = file->f_mapping, .ra = ra };
	ra->start = index > ra->ra_pages / 2 ? index - ra->ra_pages / 2 : 0;
	ra->size = ra->ra_pages;
	ra->async_size = ra->ra_pages / 4;
	ractl._index = ra->start;
	do_page_cache_ra(&ractl, ra->size, ra->async_size);
}

struct page *filemap_fault(struct vm_area_struct *vma, unsigned long address, unsigned int *result)
{
	struct address_space *mapping = vma->vm_file->f_mapping;
	unsigned long index = ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
	struct page *page = find_get_page(mapping, index);
	if (page && (page->flags & PG_uptodate))
		return page;
	*result |= VM_FAULT_MAJOR;
	if (page)
		put_page(page);
	else
		do_sync_mmap_readahead(vma->vm_file, index);
	return filemap_get_page(mapping, index, vma->vm_file);
}

/* A private copy of a file's page, for an area that may be written. */
unsigned int do_cow_fault(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *source)
{
	struct page *page = alloc_anon_page(GFP_HIGHUSER_MOVABLE);
	if (!page) {
		put_page(source);
		return VM_FAULT_OOM;
	}
	memcpy(page_address(page), page_address(source), PAGE_SIZE);
	put_page(source);
	finish_fault(vma, address, pte, 0, page, PTE_TABLE | _PAGE_ACCESSED);
	return 0;
}

unsigned int do_fault(struct vm_area_struct *vma, unsigned long address, pte_t *pte)
{
	unsigned int result = 0;
	struct page *page = filemap_fault(vma, address, &result);
	if (IS_ERR(page) || !page)
		return page && PTR_ERR(page) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	if (vma->vm_flags & VM_WRITE)
		return result | do_cow_fault(vma, address, pte, page);
	finish_fault(vma, address, pte, 0, page, _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED);
	return result;
}

/* A write to a page that is shared since fork: the last user keeps it, others get a copy. */
unsigned int do_wp_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u64 orig)
{
	struct mm_struct *mm = vma->vm_mm;
	struct page *old = pte_page(orig), *page;
	bool reuse;
	_raw_spin_lock(&mm->page_table_lock);
	if (*pte != orig) {
		_raw_spin_unlock(&mm->page_table_lock);
		invlpg(address & PAGE_MASK);
		return 0;
	}
	reuse = atomic_read(&old->_refcount) == 1;
	if (reuse)
		set_pte_at(mm, address, pte, orig | _PAGE_RW);
	else
		get_page(old);
	_raw_spin_unlock(&mm->page_table_lock);
	if (reuse)
		return 0;
	page = alloc_anon_page(GFP_HIGHUSER_MOVABLE);
	if (page) {
		memcpy(page_address(page), page_address(old), PAGE_SIZE);
		finish_fault(vma, address, pte, orig, page, PTE_TABLE | _PAGE_ACCESSED);
	}
	put_page(old);
	return page ? 0 : VM_FAULT_OOM;
}

void ptep_set_access_flags(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u64 orig)
{
	_raw_spin_lock(&vma->vm_mm->page_table_lock);
	if (*pte == orig)
		set_pte_at(vma->vm_mm, address, pte, orig | _PAGE_ACCESSED);
	else
		invlpg(address & PAGE_MASK);
	_raw_spin_unlock(&vma->vm_mm->page_table_lock);
}

unsigned int handle_pte_fault(struct vm_area_struct *vma, unsigned long address, pte_t *pte, unsigned int flags)
{
	u64 orig = READ_ONCE(*pte);
	if (!(orig & _PAGE_PRESENT))
		return vma->vm_file ? do_fault(vma, address, pte) : do_anonymous_page(vma, address, pte);
	if ((flags & FAULT_FLAG_WRITE) && !(orig & _PAGE_RW))
		return do_wp_page(vma, address, pte, orig);
	ptep_set_access_flags(vma, address, pte, orig);
	return 0;
}

unsigned int __handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	pte_t *pte = walk_page_table(vma->vm_mm, address, true);
	if (!pte)
		return VM_FAULT_OOM;
	return handle_pte_fault(vma, address, pte, flags);
}

/* The address space is locked. */
unsigned int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	if ((flags & FAULT_FLAG_WRITE) && !(vma->vm_flags & VM_WRITE))
		return VM_FAULT_SIGBUS;
	return __handle_mm_fault(vma, address, flags);
}

void zap_pte(struct mm_struct *mm, unsigned long address, pte_t *pte)
{
	u64 old = *pte;
	if (!(old & _PAGE_PRESENT))
		return;
	set_pte_at(mm, address, pte, 0);
	mm_page_counted(mm, pte_page(old), -1);
	if ((old & _PAGE_ACCESSED) && !(READ_ONCE(pte_page(old)->flags) & PG_swapbacked))
		mark_page_accessed(pte_page(old));
	put_page(pte_page(old));
}

void zap_pte_range(struct mm_struct *mm, unsigned long address, unsigned long end, pte_t *pte)
{
	_raw_spin_lock(&mm->page_table_lock);
	for (; address < end; address += PAGE_SIZE)
		zap_pte(mm, address, pte++);
	_raw_spin_unlock(&mm->page_table_lock);
}

/* Page table by page table; a missing one is skipped whole. */
void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long address = start;
	while (address < end) {
		pte_t *pte = walk_page_table(mm, address, false);
		unsigned long stop = min(end, (address | 0x1fffff) + 1);
		if (pte)
			zap_pte_range(mm, address, stop, pte);
		address = stop;
	}
}

void free_page_tables(u64 *table, int level)
{
	int i, count = level == 4 ? PTE_COUNT / 2 : PTE_COUNT;
	for (i = 0; level > 1 && i < count; i++)
		if (table[i] & _PAGE_PRESENT)
			free_page_tables(table_of(table[i]), level - 1);
	free_page((unsigned long)table);
}

/* All areas are gone; their tables follow. */
void exit_mmap(struct mm_struct *mm)
{
	free_page_tables(mm->pgd, 4);
	mm->pgd = NULL;
}

/* Shares one page with the child; what may be written becomes read-only in both. */
int copy_present_pte(struct mm_struct *dst, unsigned long address, pte_t *src)
{
	pte_t *pte;
	if (!(*src & _PAGE_PRESENT))
		return 0;
	pte = walk_page_table(dst, address, true);
	if (!pte)
		return -ENOMEM;
	WRITE_ONCE(*src, *src & ~_PAGE_RW);
	get_page(pte_page(*src));
	*pte = *src;
	mm_page_counted(dst, pte_page(*src), 1);
	return 0;
}

int copy_page_range(struct mm_struct *dst, struct mm_struct *src, struct vm_area_struct *vma)
{
	unsigned long address = vma->vm_start;
	while (address < vma->vm_end) {
		pte_t *pte = walk_page_table(src, address, false);
		unsigned long stop = min(vma->vm_end, (address | 0x1fffff) + 1);
		for (; pte && address < stop; address += PAGE_SIZE)
			if (copy_present_pte(dst, address, pte++))
				return -ENOMEM;
		address = stop;
	}
	return 0;
}

int dup_failed(struct vm_area_struct *copy)
{
	vm_area_free(copy);
	return -ENOMEM;
}

int dup_mmap(struct mm_struct *mm, struct mm_struct *old)
{
	struct vm_area_struct *vma;
	for (vma = old->mmap; vma; vma = vma->vm_next) {
		struct vm_area_struct *copy = vm_area_alloc(vma->vm_start, vma->vm_end, vma->vm_flags);
		if (!copy)
			return -ENOMEM;
		if ((copy->vm_flags & VM_ACCOUNT) &&
		    security_vm_enough_memory_mm(mm, (long)((copy->vm_end - copy->vm_start) >> PAGE_SHIFT)))
			return dup_failed(copy);
		copy->vm_pgoff = vma->vm_pgoff;
		copy->vm_file = vma->vm_file;
		if (copy->vm_file)
			atomic_inc(&copy->vm_file->f_count);
		insert_vm_struct(mm, copy);
		if (copy_page_range(mm, old, vma))
			return -ENOMEM;
	}
	return 0;
}

struct mm_struct *dup_mm(struct mm_struct *old)
{
	struct mm_struct *mm = mm_alloc();
	int error;
	if (!mm)
		return NULL;
	if (mmap_write_lock_killable(old)) {
		mmput(mm);
		return NULL;
	}
	mm->mmap_base = old->mmap_base;
	mm->start_code = old->start_code;
	mm->end_code = old->end_code;
	mm->start_data = old->start_data;
	mm->end_data = old->end_data;
	mm->start_brk = old->start_brk;
	mm->brk = old->brk;
	mm->start_stack = old->start_stack;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->env_start = old->env_start;
	mm->env_end = old->env_end;
	mm->exe_file = old->exe_file;
	if (mm->exe_file)
		atomic_inc(&mm->exe_file->f_count);
	error = dup_mmap(mm, old);
	flush_tlb_mm();
	mmap_write_unlock(old);
	if (error) {
		mmput(mm);
		return NULL;
	}
	return mm;
}
