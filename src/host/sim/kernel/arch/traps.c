/* Exceptions. The two trap handlers give their registers to the machine, which knows who asked for the trap. */
#include "irq.h"
#include "journal.h"
#include "mm.h"
#include "trace.h"
#include "uapi.h"

struct exception_table_entry {
	u64 insn, fixup;
};
extern const struct exception_table_entry __start___ex_table[], __stop___ex_table[];

const struct exception_table_entry *search_exception_tables(u64 address)
{
	const struct exception_table_entry *entry;
	for (entry = __start___ex_table; entry < __stop___ex_table; entry++)
		if (entry->insn == address)
			return entry;
	return NULL;
}

bool fixup_exception(struct pt_regs *regs)
{
	const struct exception_table_entry *entry = search_exception_tables(regs->ip);
	if (!entry)
		return false;
	regs->ip = entry->fixup;
	return true;
}

void __noreturn die(const char *reason, struct pt_regs *regs)
{
	local_irq_disable();
	hypercall(HC_OOPS, (u64)reason, (u64)regs, 0, 0, 0);
	for (;;)
		__asm__ volatile("hlt");
}

void __noreturn panic(const char *reason) { die(reason, NULL); }

void do_trap(int signal, const char *reason, struct pt_regs *regs)
{
	if (!user_mode(regs)) {
		if (fixup_exception(regs))
			return;
		die(reason, regs);
	}
	local_irq_enable();
	force_sig_fault(signal, SI_KERNEL, (void *)regs->ip);
	local_irq_disable();
	irqentry_exit(regs);
}

__kprobes void exc_int3(struct pt_regs *regs)
{
	if (hypercall(HC_TRAP, 0, (u64)regs, 0, 0, 0))
		return;
	do_trap(SIGTRAP, "int3", regs);
}

__kprobes void exc_debug(struct pt_regs *regs)
{
	if (hypercall(HC_TRAP, 1, (u64)regs, 0, 0, 0))
		return;
	do_trap(SIGTRAP, "debug", regs);
}

void exc_divide_error(struct pt_regs *regs) { do_trap(8, "divide error", regs); }
void exc_invalid_op(struct pt_regs *regs) { do_trap(4, "invalid opcode", regs); }
void exc_general_protection(struct pt_regs *regs)
{
	if (!user_mode(regs))
		hypercall(HC_TRAP, 2, (u64)regs, 0, 0, 0);
	do_trap(SIGSEGV, "general protection fault", regs);
}
void exc_double_fault(struct pt_regs *regs) { die("double fault", regs); }

#define PF_PROT 1
#define PF_WRITE 2

bool bad_area(struct pt_regs *regs, u64 address)
{
	journal(J_FAULT, pid_tgid(current), address, user_mode(regs), (u64)-EFAULT);
	if (user_mode(regs)) {
		local_irq_enable();
		force_sig_fault(SIGSEGV, SEGV_MAPERR, (void *)address);
		local_irq_disable();
		return true;
	}
	return fixup_exception(regs);
}

void bad_area_nosemaphore(struct pt_regs *regs, u64 address)
{
	if (!bad_area(regs, address))
		die("page fault", regs);
}

bool access_error(unsigned long error_code, struct vm_area_struct *vma)
{
	if (error_code & PF_WRITE)
		return !(vma->vm_flags & VM_WRITE);
	return !(vma->vm_flags & (VM_READ | VM_EXEC));
}

void do_user_addr_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned int result;
	if (!mm || preempt_count() || !(regs->flags & X86_EFLAGS_IF)) {
		bad_area_nosemaphore(regs, address);
		return;
	}
	local_irq_enable();
	if (unlikely(!mmap_read_trylock(mm)))
		mmap_read_lock(mm);
	vma = find_vma(mm, address);
	if (!vma || vma->vm_start > address || access_error(error_code, vma)) {
		mmap_read_unlock(mm);
		local_irq_disable();
		bad_area_nosemaphore(regs, address);
		return;
	}
	result = handle_mm_fault(vma, address, error_code & PF_WRITE ? FAULT_FLAG_WRITE : 0);
	mmap_read_unlock(mm);
	local_irq_disable();
	/* Somebody was or will be killed for it. If that is this task, it dies on its way out, else it faults again. */
	if ((result & VM_FAULT_OOM) && user_mode(regs)) {
		journal(J_FAULT, pid_tgid(current), address, 1, (u64)-ENOMEM);
		return;
	}
	if (result & (VM_FAULT_OOM | VM_FAULT_SIGBUS)) {
		bad_area_nosemaphore(regs, address);
		return;
	}
	if (result & VM_FAULT_MAJOR)
		current->maj_flt++;
	else
		current->min_flt++;
	journal(J_FAULT, pid_tgid(current), address, user_mode(regs), result);
}

void do_kern_addr_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address)
{
	if (user_mode(regs)) {
		bad_area_nosemaphore(regs, address);
		return;
	}
	if (!fixup_exception(regs))
		die(error_code & PF_WRITE ? "kernel page fault (write)" : "kernel page fault (read)", regs);
}

void trace_page_fault_entries(struct pt_regs *regs, unsigned long error_code, unsigned long address)
{
	if (user_mode(regs))
		trace(page_fault_user, address, regs, error_code);
	else
		trace(page_fault_kernel, address, regs, error_code);
}

void exc_page_fault(struct pt_regs *regs, unsigned long error_code)
{
	unsigned long address = read_cr2();
	journal(J_PAGE_FAULT, address, regs->ip, error_code, user_mode(regs));
	/* Whoever steps a displaced instruction wants the fault to be the probed instruction's. */
	if (!user_mode(regs))
		hypercall(HC_TRAP, 2, (u64)regs, 0, 0, 0);
	trace_page_fault_entries(regs, error_code, address);
	if (address >= TASK_SIZE)
		do_kern_addr_fault(regs, error_code, address);
	else
		do_user_addr_fault(regs, error_code, address);
	irqentry_exit(regs);
}
