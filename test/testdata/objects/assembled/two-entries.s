# A loop with two entries, which compilers do not make of C without goto: no nesting of blocks and loops expresses it.
	.section socket,"ax",@progbits
	.globl tangled
	.type tangled,@function
tangled:
	r0 = 0
	r2 = *(u32 *)(r1 + 0)
	if r2 == 1 goto inner
outer:
	r0 += 3
inner:
	r0 += 5
	if r0 < 100 goto outer
	exit
	.size tangled, .-tangled

	.section license,"aw",@progbits
	.asciz "GPL"
