/* loongarch64 on QEMU's `virt` without firmware, in direct address mode. */

#define PT_SIZE 320
#define PT_ORIG_A0 256
#define PT_ERA 264
#define PT_BADVADDR 272
#define PT_CRMD 280
#define PT_PRMD 288
#define PT_EUEN 296
#define PT_ECFG 304
#define PT_ESTAT 312
#define TASK_SIZE 64

#define CSR_CRMD 0x0
#define CSR_PRMD 0x1
#define CSR_EUEN 0x2
#define CSR_ECFG 0x4
#define CSR_ESTAT 0x5
#define CSR_ERA 0x6
#define CSR_BADV 0x7
#define CSR_EENTRY 0xc
#define CSR_CPUID 0x20
#define CSR_SAVE_T0 0x30
/* The kernel's stack pointer while in user mode. */
#define CSR_SAVE_SP 0x31
#define CSR_SAVE_TASK 0x32

	.section .head.text, "ax"
	.globl _start
_start:
	csrrd	$a0, CSR_CPUID
	li.d	$t0, 2
	bgeu	$a0, $t0, park
	la.pcrel $t0, trap_entry
	csrwr	$t0, CSR_EENTRY
	la.pcrel $tp, tasks
	slli.d	$t1, $a0, 6
	add.d	$tp, $tp, $t1
	st.w	$a0, $tp, 32
	move	$t0, $tp
	csrwr	$t0, CSR_SAVE_TASK
	la.pcrel $sp, kernel_stacks
	addi.d	$t1, $a0, 1
	slli.d	$t1, $t1, 14
	add.d	$sp, $sp, $t1
	move	$fp, $zero
	move	$a0, $tp
	bl	kernel_main
park:
	idle	0
	b	park

	.macro	each_register insn
	.irp	n, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\insn	$r\n, $sp, 8*\n
	.endr
	.endm

	.macro	save_csr number, offset
	csrrd	$t0, \number
	st.d	$t0, $sp, \offset
	.endm

	.text
	.balign	4096
	.globl trap_entry
trap_entry:
	csrwr	$t0, CSR_SAVE_T0
	csrrd	$t0, CSR_PRMD
	andi	$t0, $t0, 3
	beqz	$t0, 1f
	csrwr	$sp, CSR_SAVE_SP	/* swaps */
	csrrd	$t0, CSR_SAVE_SP
	addi.d	$sp, $sp, -PT_SIZE
	b	2f
1:	move	$t0, $sp
	addi.d	$sp, $sp, -PT_SIZE
2:	st.d	$t0, $sp, 24
	st.d	$zero, $sp, 0
	each_register st.d
	st.d	$a0, $sp, PT_ORIG_A0
	save_csr CSR_SAVE_T0, 96
	save_csr CSR_ERA, PT_ERA
	save_csr CSR_BADV, PT_BADVADDR
	save_csr CSR_CRMD, PT_CRMD
	save_csr CSR_PRMD, PT_PRMD
	save_csr CSR_EUEN, PT_EUEN
	save_csr CSR_ECFG, PT_ECFG
	save_csr CSR_ESTAT, PT_ESTAT
	csrrd	$tp, CSR_SAVE_TASK
	move	$a0, $sp
	bl	do_trap

ret_from_trap:
	ld.d	$t0, $sp, PT_PRMD
	andi	$t1, $t0, 3
	beqz	$t1, 1f
	addi.d	$t1, $sp, PT_SIZE
	csrwr	$t1, CSR_SAVE_SP
1:	csrwr	$t0, CSR_PRMD
	ld.d	$t0, $sp, PT_ERA
	csrwr	$t0, CSR_ERA
	each_register ld.d
	ld.d	$t0, $sp, 96
	ld.d	$sp, $sp, 24
	ertn

	/* enter_user(task, entry, stack): a first frame, left as after a trap. */
	.globl enter_user
enter_user:
	addi.d	$sp, $sp, -PT_SIZE
	move	$t0, $sp
	addi.d	$t1, $sp, PT_SIZE
1:	st.d	$zero, $t0, 0
	addi.d	$t0, $t0, 8
	bltu	$t0, $t1, 1b
	st.d	$a1, $sp, PT_ERA
	st.d	$a2, $sp, 24
	ld.w	$t0, $a0, 32
	st.d	$t0, $sp, 32
	li.d	$t0, 7			/* user mode, interrupts on */
	st.d	$t0, $sp, PT_PRMD
	b	ret_from_trap

	/* Every breakpoint that the kernel sees comes through here; its first instructions may be moved. */
	.globl do_bp
	.type do_bp, @function
do_bp:
	addi.d	$sp, $sp, -16
	st.d	$ra, $sp, 8
	bl	handle_break
	ld.d	$ra, $sp, 8
	addi.d	$sp, $sp, 16
	ret
	.size do_bp, . - do_bp

	.globl own_break
	.type own_break, @function
	.globl own_break_at
own_break:
	addi.d	$a0, $a0, 1
own_break_at:
	break	0x100
	ret
	.size own_break, . - own_break

	/* insn_mix(buffer, a, b): see insn_mix_expected. */
	.globl insn_mix
	.type insn_mix, @function
insn_mix:
	addi.d	$sp, $sp, -48
	st.d	$ra, $sp, 40
	st.d	$fp, $sp, 32
	st.d	$s0, $sp, 24
	addi.d	$fp, $sp, 48
	move	$s0, $a0
	ori	$a0, $zero, 0
	pcaddi	$t0, 0
	pcaddu12i $t1, 0
	addi.d	$t0, $t0, 4
	bne	$t0, $t1, 9f
	pcaddu18i $t1, 0
	addi.d	$t0, $t0, 12
	bne	$t0, $t1, 9f
	pcalau12i $t2, 0
	srli.d	$t0, $t0, 12
	slli.d	$t0, $t0, 12
	bne	$t0, $t2, 9f
	lu12i.w	$a4, 0x12345
	lu32i.d	$a4, 0x777
	lu52i.d	$a4, $a4, 0x12
	add.d	$t0, $a1, $a2
	sub.d	$t1, $a1, $a2
	xor	$t2, $a1, $a2
	or	$t3, $a1, $a2
	and	$t4, $a1, $a2
	st.d	$t0, $s0, 0
	st.d	$t1, $s0, 8
	stptr.d	$t2, $s0, 16
	nop
	beq	$a1, $a2, 1f
	addi.d	$a0, $a0, 1
1:	bne	$a1, $a2, 2f
	addi.d	$a0, $a0, 2
2:	blt	$a1, $a2, 3f
	addi.d	$a0, $a0, 4
3:	bge	$a1, $a2, 4f
	addi.d	$a0, $a0, 8
4:	bltu	$a1, $a2, 5f
	addi.d	$a0, $a0, 16
5:	bgeu	$a1, $a2, 6f
	addi.d	$a0, $a0, 32
6:	beqz	$a1, 7f
	addi.d	$a0, $a0, 64
7:	bnez	$a1, 8f
	addi.d	$a0, $a0, 128
8:	b	9f
	addi.d	$a0, $a0, 256
9:	bl	insn_mix_leaf
	la.pcrel $t5, insn_mix_leaf
	jirl	$ra, $t5, 0
	add.w	$t6, $a1, $a2
	st.d	$t6, $s0, 24
	srai.d	$t6, $a1, 7
	st.d	$t6, $s0, 32
	sltu	$t6, $a1, $a2
	st.d	$t6, $s0, 40
	mulh.du	$t6, $a1, $a2
	st.d	$t6, $s0, 48
	ld.w	$t6, $s0, 4
	alsl.d	$t6, $t6, $a4, 2
	st.d	$t6, $s0, 56
	ldptr.d	$t6, $s0, 16
	xor	$a0, $a0, $t6
	add.d	$a0, $a0, $t3
	bstrpick.d $t6, $a1, 40, 9
	sub.d	$a0, $a0, $t6
	add.d	$a0, $a0, $t4
	ld.d	$ra, $sp, 40
	ld.d	$fp, $sp, 32
	ld.d	$s0, $sp, 24
	addi.d	$sp, $sp, 48
	jr	$ra
	.size insn_mix, . - insn_mix
	.globl insn_mix_leaf
	.type insn_mix_leaf, @function
insn_mix_leaf:
	addi.d	$a0, $a0, 100
	ret
	.size insn_mix_leaf, . - insn_mix_leaf

	.globl atomic_increment
	.type atomic_increment, @function
atomic_increment:
	ll.d	$t0, $a0, 0
	addi.d	$t0, $t0, 1
	sc.d	$t0, $a0, 0
	beqz	$t0, atomic_increment
	ret
	.size atomic_increment, . - atomic_increment

	.globl catch_here
	.type catch_here, @function
catch_here:
	.irp	n, 1, 3, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	st.d	$r\n, $a0, 8*\n
	.endr
	move	$a0, $zero
	ret
	.size catch_here, . - catch_here

	.globl throw_to
	.type throw_to, @function
throw_to:
	.irp	n, 1, 3, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld.d	$r\n, $a0, 8*\n
	.endr
	move	$a0, $a1
	ret
	.size throw_to, . - throw_to

	.section .user.text, "ax"
	.globl user_syscall
	.type user_syscall, @function
user_syscall:
	move	$a7, $a0
	move	$a0, $a1
	syscall	0
	ret
	.size user_syscall, . - user_syscall
	.globl user_break
	.type user_break, @function
user_break:
	break	0
	ret
	.size user_break, . - user_break
