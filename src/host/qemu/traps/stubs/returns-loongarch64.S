/*
 * Put in the place of the return trampoline when nobody takes its breakpoint any more: calls that were followed and are
 * still under way return through it. The table, which return-stub.ts fills, holds pairs {stack pointer, return address}; a
 * zero ends it. Changes t0, t1 and ra, as any call may.
 */
	.text
	.globl	returns
returns:
	pcaddi	$t0, 0x80 / 4
1:	ld.d	$t1, $t0, 0
	beqz	$t1, 2f
	addi.d	$t0, $t0, 16
	bne	$t1, $sp, 1b
	ld.d	$ra, $t0, -8
	ret
2:	break	0

	.org	0x80
table:
