/* Start of static programs: number of arguments, arguments and environment lie on the stack. */
	.text
	.globl _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	movq (%rsp), %rdi
	leaq 8(%rsp), %rsi
	leaq 16(%rsp,%rdi,8), %rdx
	call main
	movl %eax, %edi
	call exit
	ud2
	.size _start, . - _start
