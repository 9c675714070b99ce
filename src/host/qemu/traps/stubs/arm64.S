/*
 * Entered instead of brk_handler(unused, esr, struct pt_regs *), debug exceptions masked. Posts the trap in the slot of
 * this CPU and waits for the answer: handled (return 0), or passed on (the displaced first instruction of brk_handler, then
 * its rest). The layout is trap-stub.ts's. Slot: +0 u32 state, +8 pt_regs, +16 current, +24 TTBR0_EL1.
 */
	.text
	.globl	stub
stub:
	mrs	x3, mpidr_el1
	and	x3, x3, #0xff
	ldr	x4, mailbox
	add	x4, x4, x3, lsl #6
1:	ldar	w5, [x4]
	cmp	w5, #1
	b.ne	2f
	yield
	b	1b
2:	str	x2, [x4, #8]
	mrs	x6, sp_el0
	str	x6, [x4, #16]
	mrs	x6, ttbr0_el1
	str	x6, [x4, #24]
	mov	w7, #1
	stlr	w7, [x4]
3:	yield
	ldar	w8, [x4]
	cmp	w8, #1
	b.eq	3b
	stlr	w5, [x4]
	cmp	w8, #2
	b.ne	prologue
	mov	w0, #0
	ret
	brk	#0

	.org	0xc0
prologue:
	.rept	8
	nop
	.endr
	ldr	x16, resume
	br	x16
	brk	#0

	.org	0x100
trampoline:
	.rept	4
	brk	#4
	.endr

	.org	0x140
mailbox:	.quad	0
resume:		.quad	0
		.quad	0
		.quad	0
