/* Promised memory: what programs asked for, touched or not. */
#include "mm.h"

unsigned long totalram_pages;
static volatile long vm_committed_as;

long vm_memory_committed(void) { return READ_ONCE(vm_committed_as); }
void vm_acct_memory(long pages) { __atomic_add_fetch(&vm_committed_as, pages, __ATOMIC_SEQ_CST); }
void vm_unacct_memory(long pages) { vm_acct_memory(-pages); }

/* Heuristic overcommit: refused is only what could never be there, whoever asks. */
int __vm_enough_memory(struct mm_struct *mm, long pages, int cap_sys_admin)
{
	(void)mm;
	(void)cap_sys_admin;
	if (pages > (long)totalram_pages)
		return -ENOMEM;
	vm_acct_memory(pages);
	return 0;
}
