/* A program with USDT probes whose arguments are constants, registers and memory of every size and sign. */
#define NOTE(provider, name, semaphore, args, ...)                                                                     \
	__asm__ volatile("990: nop\n"                                                                                   \
			 "	.pushsection .note.stapsdt, \"\", %%note\n"                                             \
			 "	.balign 4\n"                                                                            \
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"                                                   \
			 "991:	.asciz \"stapsdt\"\n"                                                                   \
			 "992:	.balign 4\n"                                                                            \
			 "993:	.8byte 990b, probes_base, " semaphore "\n"                                              \
			 "	.asciz \"" provider "\"\n"                                                              \
			 "	.asciz \"" name "\"\n"                                                                  \
			 "	.asciz \"" args "\"\n"                                                                  \
			 "994:	.balign 4\n"                                                                            \
			 "	.popsection\n" ::__VA_ARGS__)

__asm__(".pushsection .stapsdt.base, \"a\", %progbits\n"
	".globl probes_base\n"
	"probes_base: .space 1\n"
	".popsection\n");

volatile unsigned short on_semaphore __attribute__((section(".probes")));

__attribute__((noinline)) void work(int a, unsigned char b, long c, const short *d)
{
	volatile long on_stack = c * 3;
	NOTE("shop", "enter", "0", "-4@%0 1@%1 8@%2", "r"(a), "r"(b), "r"(c));
	NOTE("shop", "sell", "on_semaphore", "-2@%0 -8@%1 4@%2", "m"(*d), "m"(on_stack), "n"(42));
	NOTE("shop", "idle", "0", "", "n"(0));
}

void _start(void)
{
	static const short prices[4] = { 1, -2, 3, -4 };
	for (int i = 0; i < 3; i++)
		work(i, (unsigned char)i, 100 + i, prices + i);
	for (;;)
		;
}
