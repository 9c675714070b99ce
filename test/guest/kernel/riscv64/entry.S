/* riscv64 on QEMU's `virt` without firmware: a few lines in machine mode, then supervisor mode, as Linux runs. */

#define PT_SIZE 288
#define PT_EPC 0
#define PT_STATUS 256
#define PT_BADADDR 264
#define PT_CAUSE 272
#define PT_ORIG_A0 280
#define TASK_KERNEL_SP 16
#define TASK_USER_SP 24
#define TASK_SIZE 64
#define SR_SPP 0x100

	.section .head.text, "ax"
	.globl _start
_start:
	/* All of memory for everybody, all traps to supervisor mode, the supervisor's own timer. */
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	li	t0, 0xb1ff
	csrw	medeleg, t0
	li	t0, 0x222
	csrw	mideleg, t0
	li	t0, 7
	csrw	mcounteren, t0
	csrw	scounteren, t0
	li	t0, 1 << 63
	csrs	0x30a, t0		/* menvcfg.STCE */
	li	t0, 3 << 11
	csrc	mstatus, t0
	li	t0, 1 << 11
	csrs	mstatus, t0		/* MPP: supervisor */
	csrw	satp, zero
	la	t0, supervisor
	csrw	mepc, t0
	csrr	a0, mhartid
	mret

supervisor:
	/* a0: the CPU. Those the kernel has no place for sleep. */
	li	t0, 2
	bgeu	a0, t0, park
	la	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	li	t1, TASK_SIZE
	mul	t1, t1, a0
	la	tp, tasks
	add	tp, tp, t1
	sw	a0, 32(tp)
	la	sp, kernel_stacks
	addi	t1, a0, 1
	slli	t1, t1, 14
	add	sp, sp, t1
	mv	a0, tp
	call	kernel_main
park:
	wfi
	j	park

	.text
	.balign 4
	.globl trap_entry
trap_entry:
	/* sscratch is 0 in the kernel and the task in user mode. */
	csrrw	tp, sscratch, tp
	bnez	tp, 1f
	csrr	tp, sscratch
	sd	sp, TASK_KERNEL_SP(tp)
1:	sd	sp, TASK_USER_SP(tp)
	ld	sp, TASK_KERNEL_SP(tp)
	addi	sp, sp, -PT_SIZE
	.irp	n, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8*\n(sp)
	.endr
	ld	s0, TASK_USER_SP(tp)
	csrr	s1, sscratch
	csrr	s2, sepc
	csrr	s3, sstatus
	csrr	s4, stval
	csrr	s5, scause
	sd	s0, 16(sp)
	sd	s1, 32(sp)
	sd	s2, PT_EPC(sp)
	sd	s3, PT_STATUS(sp)
	sd	s4, PT_BADADDR(sp)
	sd	s5, PT_CAUSE(sp)
	sd	a0, PT_ORIG_A0(sp)
	csrw	sscratch, zero
	mv	a0, sp
	call	do_trap

	.globl ret_from_trap
ret_from_trap:
	ld	t0, PT_STATUS(sp)
	andi	t1, t0, SR_SPP
	bnez	t1, 1f
	addi	t2, sp, PT_SIZE
	sd	t2, TASK_KERNEL_SP(tp)
	csrw	sscratch, tp
1:	ld	t1, PT_EPC(sp)
	csrw	sstatus, t0
	csrw	sepc, t1
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, 8*\n(sp)
	.endr
	ld	sp, 16(sp)
	sret

	/* enter_user(task, entry, stack): a first frame, left as after a trap. */
	.globl enter_user
enter_user:
	addi	sp, sp, -PT_SIZE
	mv	t0, sp
	addi	t1, sp, PT_SIZE
1:	sd	zero, 0(t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	sd	a1, PT_EPC(sp)
	sd	a2, 16(sp)
	lw	t0, 32(a0)
	sd	t0, 80(sp)
	li	t0, 1 << 5		/* SPIE, from user mode */
	sd	t0, PT_STATUS(sp)
	j	ret_from_trap

	/* Every breakpoint that the kernel sees comes through here; its first instructions may be moved. */
	.globl do_trap_break
	.type do_trap_break, @function
	.option push
	.option norvc
do_trap_break:
	addi	sp, sp, -16
	sd	ra, 8(sp)
	call	handle_break
	ld	ra, 8(sp)
	addi	sp, sp, 16
	ret
	.option pop
	.size do_trap_break, . - do_trap_break

	.globl own_break
	.type own_break, @function
	.globl own_break_at
own_break:
	addi	a0, a0, 1
own_break_at:
	ebreak
	ret
	.size own_break, . - own_break

	/* insn_mix(buffer, a, b): see insn_mix_expected. */
	.globl insn_mix
	.type insn_mix, @function
insn_mix:
	c.addi16sp sp, -48
	c.sdsp	ra, 40(sp)
	c.sdsp	s0, 32(sp)
	c.sdsp	s1, 24(sp)
	c.addi4spn s0, sp, 48
	c.mv	s1, a0
	c.li	a0, 0
	auipc	a3, 0
	lui	a4, 0x12345
	c.lui	a5, 7
	add	t0, a1, a2
	sub	t1, a1, a2
	xor	t2, a1, a2
	or	t3, a1, a2
	and	t4, a1, a2
	sd	t0, 0(s1)
	sd	t1, 8(s1)
	sd	t2, 16(s1)
	c.nop
	nop
	beq	a1, a2, 1f
	c.addi	a0, 1
1:	bne	a1, a2, 2f
	c.addi	a0, 2
2:	blt	a1, a2, 3f
	c.addi	a0, 4
3:	bge	a1, a2, 4f
	c.addi	a0, 8
4:	bltu	a1, a2, 5f
	c.addi	a0, 16
5:	bgeu	a1, a2, 6f
	c.addi	a0, -32
6:	c.beqz	a5, 7f
	c.addi	a0, 1
7:	c.bnez	a5, 8f
	c.addi	a0, 2
8:	c.j	9f
	c.addi	a0, 4
9:	.option push
	.option norvc
	jal	ra, insn_mix_leaf
	la	t5, insn_mix_leaf
	jalr	ra, 0(t5)
	.option pop
	c.jalr	t5
	addw	t6, a1, a2
	sd	t6, 24(s1)
	srai	t6, a1, 7
	sd	t6, 32(s1)
	sltu	t6, a1, a2
	sd	t6, 40(s1)
	mulhu	t6, a1, a2
	sd	t6, 48(s1)
	lw	t6, 4(s1)
	c.add	a4, a5
	add	t6, t6, a4
	sd	t6, 56(s1)
	ld	t6, 16(s1)
	xor	a0, a0, t6
	c.add	a0, t3
	c.sub	a0, a5
	add	a0, a0, t4
	c.ldsp	ra, 40(sp)
	c.ldsp	s0, 32(sp)
	c.ldsp	s1, 24(sp)
	c.addi16sp sp, 48
	c.jr	ra
	.size insn_mix, . - insn_mix
	.globl insn_mix_leaf
	.type insn_mix_leaf, @function
insn_mix_leaf:
	addi	a0, a0, 100
	ret
	.size insn_mix_leaf, . - insn_mix_leaf

	.globl atomic_increment
	.type atomic_increment, @function
atomic_increment:
	lr.d	t0, (a0)
	addi	t0, t0, 1
	sc.d	t1, t0, (a0)
	bnez	t1, atomic_increment
	ret
	.size atomic_increment, . - atomic_increment

	.globl catch_here
	.type catch_here, @function
catch_here:
	.irp	n, 1, 2, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	sd	x\n, 8*\n(a0)
	.endr
	li	a0, 0
	ret
	.size catch_here, . - catch_here

	.globl throw_to
	.type throw_to, @function
throw_to:
	.irp	n, 1, 2, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	ld	x\n, 8*\n(a0)
	.endr
	mv	a0, a1
	ret
	.size throw_to, . - throw_to

	.section .user.text, "ax"
	.globl user_syscall
	.type user_syscall, @function
user_syscall:
	mv	a7, a0
	mv	a0, a1
	ecall
	ret
	.size user_syscall, . - user_syscall
	.globl user_break
	.type user_break, @function
user_break:
	.option push
	.option norvc
	ebreak
	.option pop
	ret
	.size user_break, . - user_break
