/* Address spaces and their areas. */
#include "fs.h"
#include "uapi.h"

static struct kmem_cache mm_cachep, vm_area_cachep;
static volatile int caches_ready;

void mmap_init(void)
{
	if (caches_ready)
		return;
	kmem_cache_create(&mm_cachep, "mm_struct", sizeof(struct mm_struct));
	kmem_cache_create(&vm_area_cachep, "vm_area_struct", sizeof(struct vm_area_struct));
	caches_ready = 1;
}

/* How far addresses are moved: by the machine's seed, so that every process of a machine is laid out alike. */
unsigned long arch_mmap_rnd(void)
{
	extern u64 boot_seed;
	return (boot_seed * 0x9e3779b97f4a7c15UL >> 50) << PAGE_SHIFT;
}

struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm;
	mmap_init();
	mm = kmem_cache_alloc(&mm_cachep, GFP_KERNEL);
	if (!mm)
		return NULL;
	memset(mm, 0, sizeof(*mm));
	mm->pgd = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!mm->pgd) {
		kmem_cache_free(&mm_cachep, mm);
		return NULL;
	}
	memcpy(mm->pgd + 256, (u64 *)__va(loader_pgd) + 256, 256 * sizeof(u64));
	atomic_set(&mm->mm_users, 1);
	init_rwsem(&mm->mmap_lock);
	mm->mmap_base = MMAP_BASE + arch_mmap_rnd();
	return mm;
}

/* The first area that ends above the address. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = mm->mmap;
	while (vma && vma->vm_end <= address)
		vma = vma->vm_next;
	return vma;
}

int insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct vm_area_struct **link = &mm->mmap;
	while (*link && (*link)->vm_end <= vma->vm_start)
		link = &(*link)->vm_next;
	if (*link && (*link)->vm_start < vma->vm_end)
		return -ENOMEM;
	vma->vm_next = *link;
	vma->vm_mm = mm;
	*link = vma;
	mm->map_count++;
	mm->total_vm += (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	return 0;
}

struct vm_area_struct *vm_area_alloc(unsigned long start, unsigned long end, unsigned long flags)
{
	struct vm_area_struct *vma = kmem_cache_alloc(&vm_area_cachep, GFP_KERNEL);
	if (!vma)
		return NULL;
	memset(vma, 0, sizeof(*vma));
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_flags = flags;
	return vma;
}

void vm_area_free(struct vm_area_struct *vma)
{
	if (vma->vm_file)
		fput(vma->vm_file);
	kmem_cache_free(&vm_area_cachep, vma);
}

/* A gap of `len` bytes from the base of mappings up; 0 if there is none. */
unsigned long get_unmapped_area(struct mm_struct *mm, unsigned long len)
{
	unsigned long address = mm->mmap_base;
	struct vm_area_struct *vma;
	for (vma = find_vma(mm, address); vma; vma = vma->vm_next) {
		if (address + len <= vma->vm_start)
			break;
		address = vma->vm_end;
	}
	return address + len <= STACK_TOP - STACK_PAGES * PAGE_SIZE ? address : 0;
}

void unaccount_range(unsigned long flags, unsigned long start, unsigned long end)
{
	if (flags & VM_ACCOUNT)
		vm_unacct_memory((long)((end - start) >> PAGE_SHIFT));
}

/* The address, or a negative errno. `len` is rounded up to pages; address 0 lets the kernel choose. */
unsigned long do_mmap(struct mm_struct *mm, struct file *file, unsigned long address, unsigned long len,
		      unsigned long flags, unsigned long pgoff)
{
	struct vm_area_struct *vma;
	int error;
	len = PAGE_ALIGN(len);
	if (!len || len > TASK_SIZE || (address & ~PAGE_MASK))
		return (unsigned long)-EINVAL;
	if (!address)
		address = get_unmapped_area(mm, len);
	if (!address || address > TASK_SIZE - len)
		return (unsigned long)-ENOMEM;
	if (flags & VM_WRITE) {
		if (security_vm_enough_memory_mm(mm, (long)(len >> PAGE_SHIFT)))
			return (unsigned long)-ENOMEM;
		flags |= VM_ACCOUNT;
	}
	vma = vm_area_alloc(address, address + len, flags);
	if (!vma) {
		unaccount_range(flags, address, address + len);
		return (unsigned long)-ENOMEM;
	}
	vma->vm_pgoff = pgoff;
	error = insert_vm_struct(mm, vma);
	if (error) {
		unaccount_range(flags, address, address + len);
		vm_area_free(vma);
		return (unsigned long)error;
	}
	if (file) {
		atomic_inc(&file->f_count);
		vma->vm_file = file;
	}
	return address;
}

/* Cuts an area in two at `address`, which lies inside of it. */
int __split_vma(struct vm_area_struct *vma, unsigned long address)
{
	struct vm_area_struct *upper = vm_area_alloc(address, vma->vm_end, vma->vm_flags);
	if (!upper)
		return -ENOMEM;
	upper->vm_mm = vma->vm_mm;
	upper->vm_file = vma->vm_file;
	upper->vm_pgoff = vma->vm_pgoff + (vma->vm_file ? (address - vma->vm_start) >> PAGE_SHIFT : 0);
	if (upper->vm_file)
		atomic_inc(&upper->vm_file->f_count);
	upper->vm_next = vma->vm_next;
	vma->vm_end = address;
	vma->vm_next = upper;
	vma->vm_mm->map_count++;
	return 0;
}

/* Makes an area end at `address`, if one has it inside. */
int split_at(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(mm, address);
	return vma && vma->vm_start < address ? __split_vma(vma, address) : 0;
}

int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	struct vm_area_struct **link = &mm->mmap;
	unsigned long end = start + PAGE_ALIGN(len);
	if (split_at(mm, start) || split_at(mm, end))
		return -ENOMEM;
	while (*link && (*link)->vm_end <= start)
		link = &(*link)->vm_next;
	while (*link && (*link)->vm_start < end) {
		struct vm_area_struct *vma = *link;
		zap_page_range(mm, vma->vm_start, vma->vm_end);
		unaccount_range(vma->vm_flags, vma->vm_start, vma->vm_end);
		*link = vma->vm_next;
		mm->map_count--;
		mm->total_vm -= (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
		vm_area_free(vma);
	}
	return 0;
}

void mmput(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	do_munmap(mm, 0, TASK_SIZE);
	exit_mmap(mm);
	if (mm->exe_file)
		fput(mm->exe_file);
	kmem_cache_free(&mm_cachep, mm);
}

/* The area that holds the heap starts at start_brk; moving its end is all brk does. */
unsigned long do_brk(struct mm_struct *mm, unsigned long brk)
{
	struct vm_area_struct *vma = find_vma(mm, mm->start_brk);
	unsigned long end = PAGE_ALIGN(brk);
	if (brk < mm->start_brk || brk > mm->start_brk + 0x1000000)
		return mm->brk;
	if (!vma || vma->vm_start != mm->start_brk) {
		if (end == mm->start_brk)
			return mm->brk;
		if (IS_ERR((void *)do_mmap(mm, NULL, mm->start_brk, end - mm->start_brk, VM_READ | VM_WRITE, 0)))
			return mm->brk;
	} else if (end > vma->vm_start) {
		if (end < vma->vm_end) {
			zap_page_range(mm, end, vma->vm_end);
			unaccount_range(vma->vm_flags, end, vma->vm_end);
		} else if (end > vma->vm_end &&
			   security_vm_enough_memory_mm(mm, (long)((end - vma->vm_end) >> PAGE_SHIFT))) {
			return mm->brk;
		}
		vma->vm_end = end;
	}
	mm->brk = brk;
	return brk;
}

long __x64_sys_brk(const struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	unsigned long result;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	result = do_brk(mm, regs->di);
	mmap_write_unlock(mm);
	return (long)result;
}

/* Where a mapping goes: an address is a wish, unless it is fixed; then what lies there gives way. */
long mmap_address(struct mm_struct *mm, unsigned long address, unsigned long len, unsigned long flags)
{
	struct vm_area_struct *vma;
	if (flags & MAP_FIXED) {
		int error = address && access_ok((void *)address, len) ? do_munmap(mm, address, len) : -EINVAL;
		return error ? error : (long)address;
	}
	vma = find_vma(mm, address);
	if (address < PAGE_SIZE || !access_ok((void *)address, len) || (vma && vma->vm_start < address + len))
		return 0;
	return (long)address;
}

long ksys_mmap_pgoff(const struct pt_regs *regs)
{
	unsigned long len = PAGE_ALIGN(regs->si), flags = regs->r10;
	struct mm_struct *mm = current->mm;
	struct file *file = NULL;
	long result;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget((unsigned int)regs->r8);
		if (!file)
			return -EBADF;
	}
	result = mmap_write_lock_killable(mm);
	if (result)
		goto out;
	result = mmap_address(mm, regs->di & PAGE_MASK, len, flags);
	if (result >= 0)
		result = (long)do_mmap(mm, file, (unsigned long)result, len, regs->dx & 7, regs->r9 >> PAGE_SHIFT);
	mmap_write_unlock(mm);
out:
	if (file)
		fput(file);
	return result;
}

long __x64_sys_mmap(const struct pt_regs *regs) { return ksys_mmap_pgoff(regs); }

long __x64_sys_munmap(const struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	int error;
	if ((regs->di & ~PAGE_MASK) || !access_ok((void *)regs->di, regs->si))
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	error = do_munmap(mm, regs->di, regs->si);
	mmap_write_unlock(mm);
	return error;
}

long do_madvise(struct mm_struct *mm, unsigned long start, unsigned long len, int behavior)
{
	if ((start & ~PAGE_MASK) || !access_ok((void *)start, len))
		return -EINVAL;
	if (behavior != MADV_DONTNEED)
		return 0;
	mmap_read_lock(mm);
	zap_page_range(mm, start, start + PAGE_ALIGN(len));
	mmap_read_unlock(mm);
	return 0;
}

long __x64_sys_madvise(const struct pt_regs *regs)
{
	return do_madvise(current->mm, regs->di, regs->si, (int)regs->dx);
}
