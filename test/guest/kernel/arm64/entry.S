/* arm64 on QEMU's `virt`, at EL1 from the start, with the MMU off. */

#define PT_SIZE 336
#define PT_SP 248
#define PT_PC 256
#define PT_PSTATE 264
#define PT_ORIG_X0 272
#define TASK_SIZE 64

	.section .head.text, "ax"
	.globl _start
_start:
	mov	x0, #0
	.globl secondary_start
secondary_start:
	/* x0: the CPU. */
	msr	daifset, #15
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	/* No traps of floating point, for user mode's sake; the counter is readable. */
	mov	x1, #3 << 20
	msr	cpacr_el1, x1
	mov	x1, #3
	msr	cntkctl_el1, x1
	isb
	adrp	x1, tasks
	add	x1, x1, :lo12:tasks
	mov	x2, #TASK_SIZE
	madd	x1, x0, x2, x1
	str	w0, [x1, #32]
	msr	tpidr_el1, x1
	adrp	x2, kernel_stacks
	add	x2, x2, :lo12:kernel_stacks
	add	x0, x0, #1
	add	x2, x2, x0, lsl #14
	mov	sp, x2
	mov	x0, x1
	mov	x29, xzr
	bl	kernel_main
1:	wfi
	b	1b

	.macro	save_frame el
	sub	sp, sp, #PT_SIZE
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.if	\el == 0
	mrs	x21, sp_el0
	.else
	add	x21, sp, #PT_SIZE
	.endif
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #240]
	stp	x22, x23, [sp, #PT_PC]
	str	x0, [sp, #PT_ORIG_X0]
	mov	w20, #-1
	str	w20, [sp, #280]
	stp	x29, x22, [sp, #304]
	add	x29, sp, #304
	.endm

	/* As in Linux the stack pointer of a kernel frame is not loaded: it is where the frame ends. */
	.macro	restore_frame el
	ldp	x22, x23, [sp, #PT_PC]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	.if	\el == 0
	ldr	x21, [sp, #PT_SP]
	msr	sp_el0, x21
	.endif
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #PT_SIZE
	eret
	.endm

	.macro	vector el, handler
	.balign	128
	b	entry_\el\()_\handler
	.endm

	.macro	entry el, handler
entry_\el\()_\handler:
	save_frame \el
	mov	x0, sp
	mov	x1, #\el
	bl	do_\handler
	restore_frame \el
	.endm

	.text
	.balign	2048
vectors:
	.rept	4
	.balign	128
	b	.
	.endr
	vector	1, sync
	vector	1, irq
	vector	1, bad
	vector	1, bad
	vector	0, sync
	vector	0, irq
	vector	0, bad
	vector	0, bad
	.rept	4
	.balign	128
	b	.
	.endr
	.balign	128

	entry	1, sync
	entry	1, irq
	entry	1, bad
	entry	0, sync
	entry	0, irq
	entry	0, bad

	/* enter_user(task, entry, stack) */
	.globl enter_user
enter_user:
	ldr	w3, [x0, #32]
	msr	elr_el1, x1
	msr	sp_el0, x2
	msr	spsr_el1, xzr
	mov	x0, x3
	eret

	/* Every breakpoint that the kernel sees comes through here; its first instructions may be moved. */
	.globl brk_handler
	.type brk_handler, %function
brk_handler:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	handle_break
	ldp	x29, x30, [sp], #16
	ret
	.size brk_handler, . - brk_handler

	.globl own_break
	.type own_break, %function
	.globl own_break_at
own_break:
	add	x0, x0, #1
own_break_at:
	brk	#0x100
	ret
	.size own_break, . - own_break

	/* insn_mix(buffer, a, b): see insn_mix_expected. */
	.globl insn_mix
	.type insn_mix, %function
insn_mix:
	stp	x29, x30, [sp, #-48]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	str	x21, [sp, #32]
	mov	x19, x0
	mov	x0, #0
	adr	x3, insn_mix_words
	adrp	x4, insn_mix_words
	add	x4, x4, :lo12:insn_mix_words
	cmp	x3, x4
	b.ne	9f
	add	x5, x1, x2
	sub	x6, x1, x2
	eor	x7, x1, x2
	orr	x8, x1, x2
	and	x9, x1, x2
	stp	x5, x6, [x19]
	str	x7, [x19, #16]
	nop
	cmp	x1, x2
	b.eq	1f
	add	x0, x0, #1
1:	b.lt	2f
	add	x0, x0, #2
2:	b.ge	3f
	add	x0, x0, #4
3:	b.lo	4f
	add	x0, x0, #8
4:	b.hs	5f
	add	x0, x0, #16
5:	cbz	x1, 6f
	add	x0, x0, #32
6:	cbnz	w2, 7f
	add	x0, x0, #64
7:	tbz	x1, #0, 8f
	add	x0, x0, #128
8:	tbnz	x2, #63, 9f
	add	x0, x0, #256
9:	b	10f
	add	x0, x0, #512
10:	bl	insn_mix_leaf
	adr	x20, insn_mix_leaf
	blr	x20
	add	w10, w1, w2
	str	x10, [x19, #24]
	asr	x10, x1, #7
	csel	x11, x1, x2, hi
	stp	x10, x11, [x19, #32]
	umulh	x10, x1, x2
	ldr	x11, insn_mix_words
	ldrsw	x12, insn_mix_words
	add	x11, x11, x12
	stp	x10, x11, [x19, #48]
	movz	x13, #0x1234, lsl #16
	movk	x13, #0x5678
	movn	x14, #0x10
	ldr	x15, [x19, #16]
	eor	x0, x0, x15
	add	x0, x0, x8
	sub	x0, x0, x13
	add	x0, x0, x9
	add	x0, x0, x14
	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #48
	ret
	.size insn_mix, . - insn_mix
	.globl insn_mix_leaf
	.type insn_mix_leaf, %function
insn_mix_leaf:
	add	x0, x0, #100
	ret
	.size insn_mix_leaf, . - insn_mix_leaf
	.balign	8
insn_mix_words:
	.xword	0x0123456789abcdef

	.globl atomic_increment
	.type atomic_increment, %function
atomic_increment:
	ldxr	x1, [x0]
	add	x1, x1, #1
	stxr	w2, x1, [x0]
	cbnz	w2, atomic_increment
	ret
	.size atomic_increment, . - atomic_increment

	.globl catch_here
	.type catch_here, %function
catch_here:
	stp	x19, x20, [x0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x1, sp
	str	x1, [x0, #96]
	mov	x0, #0
	ret
	.size catch_here, . - catch_here

	.globl throw_to
	.type throw_to, %function
throw_to:
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x2, [x0, #96]
	mov	sp, x2
	mov	x0, x1
	ret
	.size throw_to, . - throw_to

	/* psci_call(function, a, b, c) */
	.globl psci_call
psci_call:
	hvc	#0
	ret

	.section .user.text, "ax"
	.globl user_syscall
	.type user_syscall, %function
user_syscall:
	mov	x8, x0
	mov	x0, x1
	svc	#0
	ret
	.size user_syscall, . - user_syscall
	.globl user_break
	.type user_break, %function
user_break:
	brk	#0
	ret
	.size user_break, . - user_break
