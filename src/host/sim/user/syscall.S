/* How programs and the C library enter the kernel. */
	.text
/* syscall(number, up to six arguments) */
	.globl syscall
	.type syscall, @function
syscall:
	pushq %rbp
	movq %rsp, %rbp
	movq %rdi, %rax
	movq %rsi, %rdi
	movq %rdx, %rsi
	movq %rcx, %rdx
	movq %r8, %r10
	movq %r9, %r8
	movq 16(%rbp), %r9
	syscall
	popq %rbp
	ret
	.size syscall, . - syscall

/* spawn(function, top of its stack): a thread of this process, which ends when the function returns. */
	.globl spawn
	.type spawn, @function
spawn:
	pushq %rbp
	movq %rsp, %rbp
	movq %rdi, %rdx
	movl $0x10f00, %edi
	movl $56, %eax
	syscall
	testq %rax, %rax
	jz 1f
	popq %rbp
	ret
1:	xorl %ebp, %ebp
	call *%rdx
	xorl %edi, %edi
	movl $60, %eax
	syscall
	ud2
	.size spawn, . - spawn
