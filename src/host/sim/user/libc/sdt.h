/*
 * User statically defined trace points: a nop in the code, and a note that tells where it is, what it is called and where
 * its arguments are. The format is that of SystemTap's notes, version 3. Each probe has a semaphore, which counts who
 * watches: USDT_ACTIVE asks it before arguments are computed.
 */
#pragma once

#define USDT_SEMAPHORE(provider, name)                                                                                \
	volatile unsigned short provider##_##name##_semaphore __attribute__((section(".probes"), used, visibility("hidden")))
#define USDT_ACTIVE(provider, name) __builtin_expect(provider##_##name##_semaphore, 0)

/* Bytes of an argument, negative where it is signed. */
#define USDT_SIZE(x) _Generic((x), char: -1, signed char: -1, short: -2, int: -4, long: -8, unsigned char: 1,          \
			      unsigned short: 2, unsigned int: 4, default: 8)

#define USDT_NOTE(provider, name, args, ...)                                                                          \
	__asm__ volatile("990:	nop\n"                                                                                 \
			 "	.pushsection .note.stapsdt, \"\", @note\n"                                             \
			 "	.balign 4\n"                                                                           \
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"                                                  \
			 "991:	.asciz \"stapsdt\"\n"                                                                  \
			 "992:	.balign 4\n"                                                                           \
			 "993:	.8byte 990b, _.stapsdt.base, " #provider "_" #name "_semaphore\n"                      \
			 "	.asciz \"" #provider "\"\n"                                                            \
			 "	.asciz \"" #name "\"\n"                                                                \
			 "	.asciz \"" args "\"\n"                                                                 \
			 "994:	.balign 4\n"                                                                           \
			 "	.popsection\n"                                                                         \
			 "	.ifndef _.stapsdt.base\n"                                                              \
			 "	.pushsection .stapsdt.base, \"aG\", @progbits, .stapsdt.base, comdat\n"                \
			 "	.weak _.stapsdt.base\n"                                                                \
			 "	.hidden _.stapsdt.base\n"                                                              \
			 "_.stapsdt.base:	.space 1\n"                                                            \
			 "	.size _.stapsdt.base, 1\n"                                                             \
			 "	.popsection\n"                                                                         \
			 "	.endif\n" ::__VA_ARGS__)

#define USDT_ARG(n, x) [s##n] "n"(USDT_SIZE(x)), [a##n] "r"(x)
#define USDT_PROBE1(provider, name, x1) USDT_NOTE(provider, name, "%c[s1]@%[a1]", USDT_ARG(1, x1))
#define USDT_PROBE2(provider, name, x1, x2)                                                                           \
	USDT_NOTE(provider, name, "%c[s1]@%[a1] %c[s2]@%[a2]", USDT_ARG(1, x1), USDT_ARG(2, x2))
#define USDT_PROBE3(provider, name, x1, x2, x3)                                                                       \
	USDT_NOTE(provider, name, "%c[s1]@%[a1] %c[s2]@%[a2] %c[s3]@%[a3]", USDT_ARG(1, x1), USDT_ARG(2, x2),         \
		  USDT_ARG(3, x3))
#define USDT_PROBE4(provider, name, x1, x2, x3, x4)                                                                   \
	USDT_NOTE(provider, name, "%c[s1]@%[a1] %c[s2]@%[a2] %c[s3]@%[a3] %c[s4]@%[a4]", USDT_ARG(1, x1),             \
		  USDT_ARG(2, x2), USDT_ARG(3, x3), USDT_ARG(4, x4))
