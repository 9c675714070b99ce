/* execve: a task gets a new program, from an ELF file. */
#include "fs.h"
#include "journal.h"
#include "uapi.h"

#define MAX_ARGS 16
#define PT_LOAD 1
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

void switch_mm(struct mm_struct *next);

void free_bprm(struct linux_binprm *bprm)
{
	if (bprm->file)
		fput(bprm->file);
	if (bprm->mm)
		mmput(bprm->mm);
	free_page((unsigned long)bprm->arg_page);
	kfree(bprm);
}

struct linux_binprm *alloc_bprm(const char *filename)
{
	struct linux_binprm *bprm = kzalloc(sizeof(*bprm), GFP_KERNEL);
	if (!bprm)
		return NULL;
	bprm->filename = bprm->interp = filename;
	bprm->arg_page = (char *)get_zeroed_page(GFP_KERNEL);
	bprm->mm = mm_alloc();
	if (bprm->arg_page && bprm->mm)
		return bprm;
	free_bprm(bprm);
	return NULL;
}

/* Appends one argument to the argument page; `user` says on which side its bytes are. */
int copy_string(struct linux_binprm *bprm, const char *arg, bool user)
{
	char *to = bprm->arg_page + bprm->arg_len;
	long room = (long)(PAGE_SIZE / 2 - bprm->arg_len), len;
	if (room <= 1)
		return -E2BIG;
	if (user)
		len = strncpy_from_user(to, arg, room);
	else
		len = (long)strscpy(to, arg, (size_t)room);
	if (len < 0)
		return (int)len;
	if (len >= room)
		return -E2BIG;
	bprm->arg_len += (unsigned long)len + 1;
	bprm->argc++;
	return 0;
}

int copy_strings(struct linux_binprm *bprm, const char *const *argv, bool user)
{
	int i, error;
	for (i = 0; argv && i < MAX_ARGS; i++) {
		const char *arg;
		if (!user)
			arg = argv[i];
		else if (_copy_from_user(&arg, &argv[i], sizeof(arg)))
			return -EFAULT;
		if (!arg)
			break;
		error = copy_string(bprm, arg, user);
		if (error)
			return error;
	}
	return 0;
}

/* Where the strings go: the top of the new stack; argc and the pointers to them below. */
int create_elf_tables(struct linux_binprm *bprm)
{
	unsigned long strings = STACK_TOP - PAGE_ALIGN(bprm->arg_len + 1);
	u64 table[MAX_ARGS + 3];
	unsigned long at = 0;
	int i;
	if (_copy_to_user((void *)strings, bprm->arg_page, bprm->arg_len))
		return -EFAULT;
	table[0] = (u64)bprm->argc;
	for (i = 0; i < bprm->argc; i++) {
		table[i + 1] = strings + at;
		at += strlen(bprm->arg_page + at) + 1;
	}
	table[bprm->argc + 1] = 0;
	table[bprm->argc + 2] = 0;
	bprm->p = (strings - (u64)(bprm->argc + 3) * 8) & ~15UL;
	bprm->mm->arg_start = strings;
	bprm->mm->arg_end = bprm->mm->env_start = bprm->mm->env_end = strings + bprm->arg_len;
	bprm->mm->start_stack = bprm->p;
	return _copy_to_user((void *)bprm->p, table, (u64)(bprm->argc + 3) * 8) ? -EFAULT : 0;
}

/* The point of no return: the task takes the new address space and drops the old one. */
void exec_mmap(struct linux_binprm *bprm)
{
	struct mm_struct *old = current->mm;
	preempt_disable();
	current->mm = bprm->mm;
	switch_mm(bprm->mm);
	preempt_enable();
	atomic_inc(&bprm->mm->mm_users);
	if (old)
		mmput(old);
}

void __set_task_comm(struct task_struct *task, const char *path)
{
	const char *base = path;
	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	strscpy(task->comm, base, TASK_COMM_LEN);
}

int begin_new_exec(struct linux_binprm *bprm)
{
	struct task_struct *me = current;
	if (me->group_leader != me)
		return -EINVAL;
	exec_mmap(bprm);
	me->flags &= ~(u32)PF_KTHREAD;
	__set_task_comm(me, bprm->filename);
	bprm->mm->exe_file = bprm->file;
	atomic_inc(&bprm->file->f_count);
	return 0;
}

/* One segment: pages of the file, or pages of zeros. One that is both is refused. */
int elf_map(struct linux_binprm *bprm, const struct elf64_phdr *phdr)
{
	unsigned long start = phdr->p_vaddr & PAGE_MASK;
	unsigned long end = phdr->p_vaddr + phdr->p_memsz;
	unsigned long flags = VM_READ | (phdr->p_flags & PF_W ? VM_WRITE : 0) | (phdr->p_flags & PF_X ? VM_EXEC : 0);
	struct file *file = phdr->p_filesz ? bprm->file : NULL;
	unsigned long result;
	if (phdr->p_vaddr < PAGE_SIZE || phdr->p_memsz > TASK_SIZE || end > STACK_TOP)
		return -ENOEXEC;
	if (phdr->p_filesz && phdr->p_filesz != phdr->p_memsz)
		return -ENOEXEC;
	result = do_mmap(bprm->mm, file, start, end - start, flags, phdr->p_offset >> PAGE_SHIFT);
	if (IS_ERR((void *)result))
		return (int)result;
	if (phdr->p_flags & PF_X) {
		bprm->mm->start_code = phdr->p_vaddr;
		bprm->mm->end_code = end;
	} else if (file) {
		bprm->mm->start_data = phdr->p_vaddr;
		bprm->mm->end_data = end;
	}
	return 0;
}

int load_elf_segments(struct linux_binprm *bprm, const struct elf64_hdr *elf)
{
	const struct elf64_phdr *phdr = (const struct elf64_phdr *)(bprm->buf + elf->e_phoff);
	unsigned long brk = 0;
	int i, error;
	for (i = 0; i < elf->e_phnum; i++, phdr++) {
		if (phdr->p_type != PT_LOAD)
			continue;
		error = elf_map(bprm, phdr);
		if (error)
			return error;
		brk = max(brk, PAGE_ALIGN(phdr->p_vaddr + phdr->p_memsz));
	}
	bprm->mm->start_brk = bprm->mm->brk = brk;
	return 0;
}

int setup_arg_pages(struct linux_binprm *bprm)
{
	unsigned long size = STACK_PAGES * PAGE_SIZE;
	unsigned long at = do_mmap(bprm->mm, NULL, STACK_TOP - size, size, VM_READ | VM_WRITE | VM_GROWSDOWN, 0);
	if (IS_ERR((void *)at))
		return (int)at;
	return create_elf_tables(bprm);
}

bool elf_check_arch(const struct elf64_hdr *elf)
{
	if (memcmp(elf->e_ident, "\177ELF\2\1", 6) || elf->e_type != 2 || elf->e_machine != 62)
		return false;
	if (elf->e_phentsize != sizeof(struct elf64_phdr) || elf->e_phoff > 256)
		return false;
	return elf->e_phoff + elf->e_phnum * sizeof(struct elf64_phdr) <= sizeof(((struct linux_binprm *)0)->buf);
}

int load_elf_binary(struct linux_binprm *bprm)
{
	const struct elf64_hdr *elf = (const struct elf64_hdr *)bprm->buf;
	int error;
	if (!elf_check_arch(elf))
		return -ENOEXEC;
	error = begin_new_exec(bprm);
	if (error)
		return error;
	error = load_elf_segments(bprm, elf);
	if (!error)
		error = setup_arg_pages(bprm);
	if (error)
		do_exit(SIGSEGV);
	start_thread(task_pt_regs(current), elf->e_entry, bprm->p);
	return 0;
}

int search_binary_handler(struct linux_binprm *bprm)
{
	loff_t pos = 0;
	ssize_t n = kernel_read(bprm->file, bprm->buf, sizeof(bprm->buf), &pos);
	if (n < 0)
		return (int)n;
	return load_elf_binary(bprm);
}

int exec_binprm(struct linux_binprm *bprm)
{
	pid_t old_pid = current->pid;
	int error = search_binary_handler(bprm);
	if (error)
		return error;
	journal(J_EXEC, pid_tgid(current), (u64)bprm->filename, 0, 0);
	trace(sched_process_exec, current, old_pid, bprm);
	return 0;
}

int bprm_execve(struct linux_binprm *bprm)
{
	struct file *file = filp_open(bprm->filename, O_RDONLY, 0);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	bprm->file = file;
	return exec_binprm(bprm);
}

int do_execveat_common(struct filename *name, const char *const *argv, bool user)
{
	struct linux_binprm *bprm;
	int error;
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	bprm = alloc_bprm(name->name);
	error = bprm ? copy_strings(bprm, argv, user) : -ENOMEM;
	if (!error)
		error = bprm_execve(bprm);
	if (bprm)
		free_bprm(bprm);
	putname(name);
	return error;
}

int kernel_execve(const char *path, const char *const *argv)
{
	return do_execveat_common(getname_kernel(path), argv, false);
}

long __x64_sys_execve(const struct pt_regs *regs)
{
	return do_execveat_common(getname_flags((const char *)regs->di, 0), (const char *const *)regs->si, true);
}
