/*
 * Which functions may be made to fail (Linux's ALLOW_ERROR_INJECTION): those of system calls, and where pages come into the
 * page cache. The list stands between __start_ and __stop_error_injection_whitelist, as in Linux.
 */
#include "fs.h"
#include "uapi.h"

enum { EI_ETYPE_NULL, EI_ETYPE_ERRNO, EI_ETYPE_ERRNO_NULL, EI_ETYPE_TRUE };

struct error_injection_entry {
	unsigned long addr;
	int etype;
};

#define ALLOW_ERROR_INJECTION(name, type)                                                             \
	static const struct error_injection_entry __used __section("_error_injection_whitelist")      \
		_eil_addr_##name = { (unsigned long)name, EI_ETYPE_##type };

int add_to_page_cache_lru(struct page *page, struct address_space *mapping, unsigned long index, gfp_t gfp);
#define SYSCALL(name)                                    \
	long __x64_sys_##name(const struct pt_regs *);   \
	ALLOW_ERROR_INJECTION(__x64_sys_##name, ERRNO)
#include "syscalls.def"
#undef SYSCALL

ALLOW_ERROR_INJECTION(add_to_page_cache_lru, ERRNO)
