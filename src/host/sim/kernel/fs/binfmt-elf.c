/* ELF programs: their segments, the interpreter they ask for, and the stack they start with. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define ELF_ET_DYN_BASE 0x0000555555554000UL
#define PHDRS_MAX 16
#define INTERP_MAX 64
#define AUXV_MAX 16
#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_INTERP 3
#define PF_X 1
#define PF_W 2

struct elf64_hdr {
	u8 e_ident[16];
	u16 e_type, e_machine;
	u32 e_version;
	u64 e_entry, e_phoff, e_shoff;
	u32 e_flags;
	u16 e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct elf64_phdr {
	u32 p_type, p_flags;
	u64 p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

/* A file that is being mapped: the program, or its interpreter. */
struct elf_object {
	struct file *file;
	struct elf64_hdr hdr;
	struct elf64_phdr *phdrs;
	unsigned long load_bias;
};

static const char elf_magic[] = "\177ELF\2\1";

int elf_read(struct file *file, void *buf, size_t len, u64 pos)
{
	loff_t at = (loff_t)pos;
	ssize_t n = kernel_read(file, buf, len, &at);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

bool elf_check_arch(const struct elf64_hdr *elf)
{
	if (memcmp(elf->e_ident, elf_magic, 6) || elf->e_machine != EM_X86_64)
		return false;
	if (elf->e_type != ET_EXEC && elf->e_type != ET_DYN)
		return false;
	return elf->e_phentsize == sizeof(struct elf64_phdr) && elf->e_phnum >= 1 && elf->e_phnum <= PHDRS_MAX;
}

/* Reads the program headers of an object whose file header is there. */
int load_elf_phdrs(struct elf_object *elf)
{
	size_t size = elf->hdr.e_phnum * sizeof(struct elf64_phdr);
	if (!elf_check_arch(&elf->hdr))
		return -ENOEXEC;
	elf->phdrs = kmalloc(size, GFP_KERNEL);
	if (!elf->phdrs)
		return -ENOMEM;
	return elf_read(elf->file, elf->phdrs, size, elf->hdr.e_phoff) ? -ENOEXEC : 0;
}

void elf_close(struct elf_object *elf)
{
	kfree(elf->phdrs);
	if (elf->file)
		fput(elf->file);
}

/* Opens the interpreter that the program names, if it names one. */
int open_elf_interp(const struct elf_object *exe, struct elf_object *interp)
{
	char path[INTERP_MAX];
	int i, error;
	for (i = 0; i < exe->hdr.e_phnum; i++) {
		const struct elf64_phdr *phdr = &exe->phdrs[i];
		struct file *file;
		if (phdr->p_type != PT_INTERP)
			continue;
		if (phdr->p_filesz < 2 || phdr->p_filesz > sizeof(path))
			return -ENOEXEC;
		error = elf_read(exe->file, path, phdr->p_filesz, phdr->p_offset);
		if (error || path[phdr->p_filesz - 1])
			return -ENOEXEC;
		file = filp_open(path, O_RDONLY, 0);
		if (IS_ERR(file))
			return (int)PTR_ERR(file);
		interp->file = file;
		error = elf_read(file, &interp->hdr, sizeof(interp->hdr), 0);
		return error ? error : load_elf_phdrs(interp);
	}
	return 0;
}

/* One segment: pages of the file, or pages of zeros. One that is both is refused. */
int elf_map(struct mm_struct *mm, const struct elf_object *elf, const struct elf64_phdr *phdr)
{
	unsigned long address = elf->load_bias + phdr->p_vaddr;
	unsigned long start = address & PAGE_MASK;
	unsigned long end = address + phdr->p_memsz;
	unsigned long flags = VM_READ | (phdr->p_flags & PF_W ? VM_WRITE : 0) | (phdr->p_flags & PF_X ? VM_EXEC : 0);
	struct file *file = phdr->p_filesz ? elf->file : NULL;
	unsigned long result;
	if (phdr->p_vaddr > TASK_SIZE || start < PAGE_SIZE || phdr->p_memsz > TASK_SIZE || end > STACK_TOP)
		return -ENOEXEC;
	if (phdr->p_filesz && phdr->p_filesz != phdr->p_memsz)
		return -ENOEXEC;
	result = do_mmap(mm, file, start, end - start, flags, phdr->p_offset >> PAGE_SHIFT);
	return IS_ERR((void *)result) ? (int)result : 0;
}

/* Maps all segments; *end is the first page behind them. */
int load_elf_segments(struct mm_struct *mm, const struct elf_object *elf, unsigned long *end)
{
	int i, error;
	*end = 0;
	for (i = 0; i < elf->hdr.e_phnum; i++) {
		const struct elf64_phdr *phdr = &elf->phdrs[i];
		if (phdr->p_type != PT_LOAD || !phdr->p_memsz)
			continue;
		error = elf_map(mm, elf, phdr);
		if (error)
			return error;
		*end = max(*end, PAGE_ALIGN(elf->load_bias + phdr->p_vaddr + phdr->p_memsz));
	}
	return 0;
}

/* All that is not loaded by itself lies in what is. */
unsigned long total_mapping_size(const struct elf_object *elf)
{
	unsigned long size = 0;
	int i;
	for (i = 0; i < elf->hdr.e_phnum; i++)
		size = max(size, elf->phdrs[i].p_vaddr + elf->phdrs[i].p_memsz);
	return PAGE_ALIGN(size);
}

/* The interpreter goes where any mapping would. */
int load_elf_interp(struct mm_struct *mm, struct elf_object *interp)
{
	unsigned long end;
	if (!interp->file)
		return 0;
	if (interp->hdr.e_type != ET_DYN)
		return -ENOEXEC;
	interp->load_bias = get_unmapped_area(mm, total_mapping_size(interp));
	if (!interp->load_bias)
		return -ENOMEM;
	return load_elf_segments(mm, interp, &end);
}

void set_code_and_data(struct mm_struct *mm, const struct elf_object *exe)
{
	int i;
	for (i = 0; i < exe->hdr.e_phnum; i++) {
		const struct elf64_phdr *phdr = &exe->phdrs[i];
		unsigned long start = exe->load_bias + phdr->p_vaddr;
		if (phdr->p_type != PT_LOAD || !phdr->p_filesz)
			continue;
		if (phdr->p_flags & PF_X) {
			mm->start_code = start;
			mm->end_code = start + phdr->p_memsz;
		} else {
			mm->start_data = start;
			mm->end_data = start + phdr->p_memsz;
		}
	}
}

/* Where the program finds its own program headers. */
u64 phdr_address(const struct elf_object *exe)
{
	int i;
	for (i = 0; i < exe->hdr.e_phnum; i++) {
		const struct elf64_phdr *phdr = &exe->phdrs[i];
		if (phdr->p_type == PT_LOAD && exe->hdr.e_phoff - phdr->p_offset < phdr->p_filesz)
			return exe->load_bias + phdr->p_vaddr + exe->hdr.e_phoff - phdr->p_offset;
	}
	return 0;
}

struct auxv {
	u64 type, value;
};

struct auxv *new_aux_ent(struct auxv *at, u64 type, u64 value)
{
	at->type = type;
	at->value = value;
	return at + 1;
}

/* What the program is told of itself; the number of entries. */
u64 fill_auxv(struct auxv *auxv, const struct elf_object *exe, const struct elf_object *interp, u64 random, u64 name)
{
	struct auxv *at = auxv;
	u64 uid = current->cred->uid.val, gid = current->cred->gid.val;
	at = new_aux_ent(at, AT_PAGESZ, PAGE_SIZE);
	at = new_aux_ent(at, AT_CLKTCK, 100);
	at = new_aux_ent(at, AT_PHDR, phdr_address(exe));
	at = new_aux_ent(at, AT_PHENT, sizeof(struct elf64_phdr));
	at = new_aux_ent(at, AT_PHNUM, exe->hdr.e_phnum);
	at = new_aux_ent(at, AT_BASE, interp->load_bias);
	at = new_aux_ent(at, AT_FLAGS, 0);
	at = new_aux_ent(at, AT_ENTRY, exe->load_bias + exe->hdr.e_entry);
	at = new_aux_ent(at, AT_UID, uid);
	at = new_aux_ent(at, AT_EUID, current->cred->euid.val);
	at = new_aux_ent(at, AT_GID, gid);
	at = new_aux_ent(at, AT_EGID, current->cred->egid.val);
	at = new_aux_ent(at, AT_SECURE, 0);
	at = new_aux_ent(at, AT_RANDOM, random);
	at = new_aux_ent(at, AT_EXECFN, name);
	at = new_aux_ent(at, AT_NULL, 0);
	return (u64)(at - auxv);
}

/* Pointers to `count` strings that lie one behind the other from *user on, and a NULL. */
u64 *put_strings(u64 *table, int count, const char **string, u64 *user)
{
	for (; count > 0; count--) {
		size_t size = strlen(*string) + 1;
		*table++ = *user;
		*user += size;
		*string += size;
	}
	*table++ = 0;
	return table;
}

/*
 * The new stack from its top down: a NULL; the program's name, environment and arguments; 16 random bytes; the auxiliary
 * vector, the pointers to the environment and to the arguments, their number.
 */
int create_elf_tables(struct linux_binprm *bprm, const struct elf_object *exe, const struct elf_object *interp)
{
	struct mm_struct *mm = bprm->mm;
	unsigned long strings = STACK_TOP - sizeof(u64) - bprm->arg_len;
	unsigned long random = (strings - 16) & ~15UL;
	u64 seed[2] = { hypercall(HC_RANDOM, 0, 0, 0, 0, 0), hypercall(HC_RANDOM, 0, 0, 0, 0, 0) };
	const char *string = bprm->arg_page;
	u64 user = strings, size;
	u64 *table = kmalloc(PAGE_SIZE / 4, GFP_KERNEL), *at = table;
	int error = 0;
	if (!table)
		return -ENOMEM;
	*at++ = (u64)bprm->argc;
	at = put_strings(at, bprm->argc, &string, &user);
	mm->arg_start = strings;
	mm->arg_end = mm->env_start = user;
	at = put_strings(at, bprm->envc, &string, &user);
	mm->env_end = user;
	at += 2 * fill_auxv((struct auxv *)at, exe, interp, random, user);
	size = (u64)(at - table) * sizeof(u64);
	bprm->p = (random - size) & ~15UL;
	mm->start_stack = bprm->p;
	if (_copy_to_user((void *)strings, bprm->arg_page, bprm->arg_len) ||
	    _copy_to_user((void *)random, seed, sizeof(seed)) || _copy_to_user((void *)bprm->p, table, size))
		error = -EFAULT;
	kfree(table);
	return error;
}

int setup_arg_pages(struct mm_struct *mm)
{
	unsigned long size = STACK_PAGES * PAGE_SIZE;
	unsigned long at = do_mmap(mm, NULL, STACK_TOP - size, size, VM_READ | VM_WRITE | VM_GROWSDOWN, 0);
	return IS_ERR((void *)at) ? (int)at : 0;
}

/* The address space of the program: everything in it is new. */
int fill_mm(struct linux_binprm *bprm, struct elf_object *exe, struct elf_object *interp)
{
	struct mm_struct *mm = bprm->mm;
	unsigned long end;
	int error;
	if (exe->hdr.e_type == ET_DYN)
		exe->load_bias = ELF_ET_DYN_BASE + arch_mmap_rnd();
	error = load_elf_segments(mm, exe, &end);
	if (error)
		return error;
	mm->start_brk = mm->brk = end;
	set_code_and_data(mm, exe);
	error = load_elf_interp(mm, interp);
	if (!error)
		error = setup_arg_pages(mm);
	return error ? error : create_elf_tables(bprm, exe, interp);
}

int load_elf_binary(struct linux_binprm *bprm)
{
	struct elf_object exe = { .file = bprm->file }, interp = { .file = NULL };
	u64 entry;
	int error;
	memcpy(&exe.hdr, bprm->buf, sizeof(exe.hdr));
	atomic_inc(&bprm->file->f_count);
	error = load_elf_phdrs(&exe);
	if (!error)
		error = open_elf_interp(&exe, &interp);
	if (!error)
		error = begin_new_exec(bprm);
	if (!error) {
		/* There is no way back: the old program is gone. */
		error = fill_mm(bprm, &exe, &interp);
		entry = interp.file ? interp.load_bias + interp.hdr.e_entry : exe.load_bias + exe.hdr.e_entry;
		if (error)
			bprm->point_of_no_return = true;
		else
			start_thread(task_pt_regs(current), entry, bprm->p);
	}
	elf_close(&exe);
	elf_close(&interp);
	return error;
}
