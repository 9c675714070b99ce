/*
 * Runs single instructions on the real processor. Reads cases from stdin, writes results to stdout; both are
 * the fixed records below. The instruction stands in a page full of int3, so that whatever it does next traps,
 * and the trap's ucontext is the result.
 *
 * It must be position independent: the heap of an executable at a fixed address starts up to 1 GiB above it
 * (arch_randomize_brk()), among the addresses that bit offsets reach, where a case that must fault would not.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE 0x10000000ul
#define CODE_AT (CODE + 0x800)
#define DATA 0x20000000ul
#define WINDOW (DATA + 0xf80)
#define WINDOW_SIZE 256

struct test_case {
	uint8_t code[16];
	uint32_t length;
	uint32_t pad;
	uint64_t regs[16];
	uint64_t flags;
	uint8_t window[WINDOW_SIZE];
};

struct result {
	uint64_t regs[16];
	uint64_t rip;
	uint64_t flags;
	uint64_t trap;
	uint8_t window[WINDOW_SIZE];
};

/* Encoding order of the registers to ucontext order. */
static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
			       REG_R8,	REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

uint64_t entry_regs[16];
uint64_t entry_flags, entry_target = CODE_AT;
static struct result result;
static sigjmp_buf back;

static void on_signal(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	for (int i = 0; i < 16; i++)
		result.regs[i] = uc->uc_mcontext.gregs[order[i]];
	result.rip = uc->uc_mcontext.gregs[REG_RIP];
	result.flags = uc->uc_mcontext.gregs[REG_EFL];
	result.trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(back, 1);
}

void enter(void);
__asm__(".text\n"
	"enter:\n"
	"	push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"	pushq entry_flags(%rip)\n popfq\n"
	"	mov entry_regs+0(%rip), %rax\n mov entry_regs+8(%rip), %rcx\n"
	"	mov entry_regs+16(%rip), %rdx\n mov entry_regs+24(%rip), %rbx\n"
	"	mov entry_regs+32(%rip), %rsp\n mov entry_regs+40(%rip), %rbp\n"
	"	mov entry_regs+48(%rip), %rsi\n mov entry_regs+56(%rip), %rdi\n"
	"	mov entry_regs+64(%rip), %r8\n mov entry_regs+72(%rip), %r9\n"
	"	mov entry_regs+80(%rip), %r10\n mov entry_regs+88(%rip), %r11\n"
	"	mov entry_regs+96(%rip), %r12\n mov entry_regs+104(%rip), %r13\n"
	"	mov entry_regs+112(%rip), %r14\n mov entry_regs+120(%rip), %r15\n"
	"	jmp *entry_target(%rip)\n");

int main(void)
{
	static const int signals[] = { SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct test_case test;
	uint8_t *code, *data;

	code = mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	data = mmap((void *)DATA, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (code == MAP_FAILED || data == MAP_FAILED)
		return 1;
	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	memset(code, 0xcc, 4096);
	while (fread(&test, sizeof(test), 1, stdin) == 1) {
		memcpy((void *)CODE_AT, test.code, test.length);
		memset(data, 0, 8192);
		memcpy((void *)WINDOW, test.window, WINDOW_SIZE);
		memcpy(entry_regs, test.regs, sizeof(entry_regs));
		entry_flags = test.flags;
		if (sigsetjmp(back, 1) == 0)
			enter();
		memcpy(result.window, (void *)WINDOW, WINDOW_SIZE);
		memset((void *)CODE_AT, 0xcc, 16);
		fwrite(&result, sizeof(result), 1, stdout);
	}
	return 0;
}
