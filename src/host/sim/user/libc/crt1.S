/* Start of dynamic programs, once ld.so has put them together. */
	.text
	.globl _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	movq (%rsp), %rsi
	leaq 8(%rsp), %rdx
	leaq main(%rip), %rdi
	call __libc_start_main@PLT
	ud2
	.size _start, . - _start
