/*
 * Entered instead of exc_int3(struct pt_regs *), with interrupts off and the kernel's GS. Posts the trap in the slot of
 * this CPU and waits for the answer: handled (return), or passed on (the displaced beginning of exc_int3, then its rest).
 * The layout is trap-stub.ts's. Slot: +0 u32 state, +8 pt_regs, +16 current, +24 CR3.
 */
	.text
	.globl	stub
stub:
	/* The CPU number is the limit of the segment that getcpu() reads, whatever the kernel's version. */
	movl	$0x7b, %eax
	lsll	%eax, %eax
	andl	$0xfff, %eax
	shll	$6, %eax
	movq	mailbox(%rip), %rcx
	addq	%rax, %rcx
	/* A trap within the wait below (an NMI's) leaves the outer answer as it finds it. */
1:	cmpl	$1, (%rcx)
	jne	2f
	pause
	jmp	1b
2:	movl	(%rcx), %r8d
	movq	%rdi, 8(%rcx)
	movq	current(%rip), %rax
	movq	%gs:(%rax), %rax
	movq	%rax, 16(%rcx)
	movq	%cr3, %rax
	movq	%rax, 24(%rcx)
	movl	$1, (%rcx)
#ifdef PVPANIC
	/* Stops the machine; the answer is there when it goes on. */
	movl	$0x505, %edx
	movl	$1, %eax
	outb	%al, %dx
#endif
3:	pause
	movl	(%rcx), %eax
	cmpl	$1, %eax
	je	3b
	movl	%r8d, (%rcx)
	cmpl	$2, %eax
	jne	prologue
	ret
	int3

	.org	0xc0
prologue:
	.fill	32, 1, 0x90
	jmpq	*resume(%rip)
	int3

	.org	0x100
trampoline:
	.fill	16, 1, 0xcc

	.org	0x140
mailbox:	.quad	0
resume:		.quad	0
current:	.quad	0
		.quad	0
