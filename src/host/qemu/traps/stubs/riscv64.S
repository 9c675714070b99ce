/*
 * Entered instead of do_trap_break(struct pt_regs *), interrupts off, tp = current. Posts the trap in the slot of this CPU
 * and waits for the answer: handled (return), or passed on (the displaced beginning of do_trap_break, then its rest). The
 * layout is trap-stub.ts's. Slot: +0 u32 state, +8 pt_regs, +16 current, +24 satp.
 */
	.text
	.option	norvc
	.option	norelax
	.globl	stub
stub:
	ld	t0, cpu_at
	add	t0, t0, tp
	lw	t0, 0(t0)
	slli	t0, t0, 6
	ld	t1, mailbox
	add	t1, t1, t0
1:	lw	t2, 0(t1)
	li	t3, 1
	bne	t2, t3, 2f
	.word	0x0100000f	/* pause */
	j	1b
2:	sd	a0, 8(t1)
	sd	tp, 16(t1)
	csrr	t4, satp
	sd	t4, 24(t1)
	fence	rw, w
	sw	t3, 0(t1)
	/* pause: the emulator leaves the block and runs the other CPUs. */
3:	.word	0x0100000f
	lw	t5, 0(t1)
	beq	t5, t3, 3b
	fence	r, rw
	sw	t2, 0(t1)
	li	t6, 2
	bne	t5, t6, prologue
	ret
	ebreak

	.org	0xc0
prologue:
	.rept	8
	nop
	.endr
	ld	t1, resume
	jr	t1
	ebreak

	.org	0x100
trampoline:
	.rept	8
	.half	0x9002	/* c.ebreak */
	.endr

	.org	0x140
mailbox:	.quad	0
resume:		.quad	0
cpu_at:		.quad	0
		.quad	0
