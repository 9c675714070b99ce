/* Where the kernel starts a program that asks for an interpreter: ld.so puts it together, then it runs as if alone. */
	.text
	.globl _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call _dl_start
	xorl %edx, %edx
	jmp *%rax
	.size _start, . - _start
