/* Where the processor enters and leaves the kernel. No breakpoint may be put in this section. */

#define ORIG_AX 120
#define IP 128
#define CS 136
#define FLAGS 144
#define SP 152

	.macro FUNC name
	.globl \name
	.type \name, @function
\name:
	.endm
	.macro END name
	.size \name, . - \name
	.endm

	/* Completes a struct pt_regs below orig_ax. */
	.macro PUSH_REGS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro POP_REGS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.endm

	.section .head.text, "ax"
/* rdi: CPU number, rsi: boot parameters. */
FUNC startup_64
	movq %rdi, %rax
	incq %rax
	shlq $14, %rax
	leaq boot_stacks(%rip), %rsp
	addq %rax, %rsp
	subq $168, %rsp
	xorl %ebp, %ebp
	pushq $0
	cld
	call x86_64_start_kernel
1:	hlt
	jmp 1b
END startup_64

	.section .entry.text, "ax"
FUNC entry_SYSCALL_64
	swapgs
	movq %rsp, %gs:16
	movq %gs:24, %rsp
	pushq $0x2b
	pushq %gs:16
	pushq %r11
	pushq $0x33
	pushq %rcx
	movslq %eax, %rax
	pushq %rax
	PUSH_REGS
	movq $-38, 80(%rsp)
	movq %rsp, %rdi
	movq ORIG_AX(%rsp), %rsi
	xorl %ebp, %ebp
	call do_syscall_64
	testb %al, %al
	jz error_return
	POP_REGS
	movq 8(%rsp), %rcx
	movq 24(%rsp), %r11
	movq 32(%rsp), %rsp
	swapgs
	sysretq
END entry_SYSCALL_64

FUNC error_return
	testb $3, CS(%rsp)
	jz 1f
	swapgs
1:	POP_REGS
	addq $8, %rsp
	iretq
END error_return

/*
 * One exception or interrupt: a full frame, a call frame that names the interrupted instruction (so that
 * a walk along rbp goes on through it), then handler(regs, error code).
 */
	.macro IDTENTRY name handler error=0 gap=0
FUNC \name
	cld
	.if \error == 0
	pushq $-1
	.endif
	.if \gap
	/* From the kernel: leave room above the frame for a handler that pushes onto the interrupted stack. */
	testb $3, 16(%rsp)
	jnz 2f
	.rept 6
	pushq 40(%rsp)
	.endr
2:
	.endif
	PUSH_REGS
	testb $3, CS(%rsp)
	jz 1f
	swapgs
1:	movq %rsp, %rdi
	movq ORIG_AX(%rsp), %rsi
	movq $-1, ORIG_AX(%rsp)
	pushq IP(%rsp)
	pushq %rbp
	movq %rsp, %rbp
	call \handler
	addq $16, %rsp
	jmp error_return
END \name
	.endm

IDTENTRY asm_exc_divide_error exc_divide_error
IDTENTRY asm_exc_debug exc_debug gap=1
IDTENTRY asm_exc_int3 exc_int3 gap=1
IDTENTRY asm_exc_invalid_op exc_invalid_op
IDTENTRY asm_exc_double_fault exc_double_fault error=1
IDTENTRY asm_exc_general_protection exc_general_protection error=1
IDTENTRY asm_exc_page_fault exc_page_fault error=1
IDTENTRY asm_common_interrupt common_interrupt
IDTENTRY asm_sysvec_apic_timer_interrupt sysvec_apic_timer_interrupt
IDTENTRY asm_sysvec_reschedule_ipi sysvec_reschedule_ipi
IDTENTRY asm_sysvec_sample sysvec_sample

/* First code of a new task. rax: the task switched from, rbx: kernel thread function or 0, r12: its argument. */
FUNC ret_from_fork
	movq %rax, %rdi
	xorl %ebp, %ebp
	call schedule_tail
	testq %rbx, %rbx
	jz 1f
	movq %r12, %rdi
	call *%rbx
	movq $0, 80(%rsp)
1:	movq %rsp, %rdi
	call syscall_exit_to_user_mode
	jmp error_return
END ret_from_fork

/* (prev, next, &prev->thread.sp, &next->thread.sp): continues in next, which sees prev as the result. */
FUNC __switch_to_asm
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdx)
	movq (%rcx), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	jmp __switch_to
END __switch_to_asm

	.text
/* Functions whose return is watched come back here; the breakpoint's handler knows where they belong. */
FUNC arch_rethook_trampoline
	int3
	nop
	nop
	nop
	ud2
END arch_rethook_trampoline

/* Room for displaced instructions that are executed one at a time. */
	.section .bss.kprobe_insn_pages, "aw", @nobits
	.p2align 12
	.globl kprobe_insn_pages
	.type kprobe_insn_pages, @object
kprobe_insn_pages:
	.skip 65536
	.size kprobe_insn_pages, 65536
	.text

	.macro EXTABLE fault fixup
	.pushsection __ex_table, "a"
	.quad \fault, \fixup
	.popsection
	.endm

/* (to, from, n): bytes not copied. A fault leaves the rest in rcx. */
FUNC copy_user_generic
	pushq %rbp
	movq %rsp, %rbp
	movq %rdx, %rcx
1:	rep movsb
2:	movq %rcx, %rax
	popq %rbp
	ret
END copy_user_generic
	EXTABLE 1b 2b

/* (to, from, n): length without the NUL, n if there was none, -EFAULT. */
FUNC do_strncpy_from_user
	pushq %rbp
	movq %rsp, %rbp
	xorl %eax, %eax
1:	cmpq %rdx, %rax
	je 3f
2:	movb (%rsi,%rax), %cl
	movb %cl, (%rdi,%rax)
	testb %cl, %cl
	je 3f
	incq %rax
	jmp 1b
3:	popq %rbp
	ret
4:	movq $-14, %rax
	jmp 3b
END do_strncpy_from_user
	EXTABLE 2b 4b

FUNC memcpy
	movq %rdi, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
	rep movsq
	movl %edx, %ecx
	rep movsb
	ret
END memcpy

FUNC memset
	movq %rdi, %r9
	movq %rdx, %rcx
	movl %esi, %eax
	rep stosb
	movq %r9, %rax
	ret
END memset

FUNC clear_page
	movl $512, %ecx
	xorl %eax, %eax
	rep stosq
	ret
END clear_page
