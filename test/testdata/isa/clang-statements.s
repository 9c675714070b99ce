// Statements that clang-19 -mcpu=v4 accepts; what it makes of them is in clang-statements.hex.
// arithmetic
r0 += r1
r9 += r5
r10 += r10
r3 += r11
r2 += 0
r2 += 1
r2 += -1
r2 += 0x7fffffff
r2 += -0x80000000
r2 += 0xffffffff
r2 += 17
r0 -= r1
r9 -= r5
r10 -= r10
r3 -= r11
r2 -= 0
r2 -= 1
r2 -= -1
r2 -= 0x7fffffff
r2 -= -0x80000000
r2 -= 0xffffffff
r2 -= 17
r0 *= r1
r9 *= r5
r10 *= r10
r3 *= r11
r2 *= 0
r2 *= 1
r2 *= -1
r2 *= 0x7fffffff
r2 *= -0x80000000
r2 *= 0xffffffff
r2 *= 17
r0 /= r1
r9 /= r5
r10 /= r10
r3 /= r11
r2 /= 0
r2 /= 1
r2 /= -1
r2 /= 0x7fffffff
r2 /= -0x80000000
r2 /= 0xffffffff
r2 /= 17
r0 |= r1
r9 |= r5
r10 |= r10
r3 |= r11
r2 |= 0
r2 |= 1
r2 |= -1
r2 |= 0x7fffffff
r2 |= -0x80000000
r2 |= 0xffffffff
r2 |= 17
r0 &= r1
r9 &= r5
r10 &= r10
r3 &= r11
r2 &= 0
r2 &= 1
r2 &= -1
r2 &= 0x7fffffff
r2 &= -0x80000000
r2 &= 0xffffffff
r2 &= 17
r0 <<= r1
r9 <<= r5
r10 <<= r10
r3 <<= r11
r2 <<= 0
r2 <<= 1
r2 <<= -1
r2 <<= 0x7fffffff
r2 <<= -0x80000000
r2 <<= 0xffffffff
r2 <<= 17
r0 >>= r1
r9 >>= r5
r10 >>= r10
r3 >>= r11
r2 >>= 0
r2 >>= 1
r2 >>= -1
r2 >>= 0x7fffffff
r2 >>= -0x80000000
r2 >>= 0xffffffff
r2 >>= 17
r0 %= r1
r9 %= r5
r10 %= r10
r3 %= r11
r2 %= 0
r2 %= 1
r2 %= -1
r2 %= 0x7fffffff
r2 %= -0x80000000
r2 %= 0xffffffff
r2 %= 17
r0 ^= r1
r9 ^= r5
r10 ^= r10
r3 ^= r11
r2 ^= 0
r2 ^= 1
r2 ^= -1
r2 ^= 0x7fffffff
r2 ^= -0x80000000
r2 ^= 0xffffffff
r2 ^= 17
r0 s>>= r1
r9 s>>= r5
r10 s>>= r10
r3 s>>= r11
r2 s>>= 0
r2 s>>= 1
r2 s>>= -1
r2 s>>= 0x7fffffff
r2 s>>= -0x80000000
r2 s>>= 0xffffffff
r2 s>>= 17
r0 s/= r1
r9 s/= r5
r10 s/= r10
r3 s/= r11
r2 s/= 0
r2 s/= 1
r2 s/= -1
r2 s/= 0x7fffffff
r2 s/= -0x80000000
r2 s/= 0xffffffff
r2 s/= 17
r0 s%= r1
r9 s%= r5
r10 s%= r10
r3 s%= r11
r2 s%= 0
r2 s%= 1
r2 s%= -1
r2 s%= 0x7fffffff
r2 s%= -0x80000000
r2 s%= 0xffffffff
r2 s%= 17
r0 = r1
r9 = r5
r10 = r10
r3 = r11
r2 = 0
r2 = 1
r2 = -1
r2 = 0x7fffffff
r2 = -0x80000000
r2 = 0xffffffff
r2 = 17
r0 = -r0
r7 = -r7
w0 += w1
w9 += w5
w10 += w10
w3 += w11
w2 += 0
w2 += 1
w2 += -1
w2 += 0x7fffffff
w2 += -0x80000000
w2 += 0xffffffff
w2 += 17
w0 -= w1
w9 -= w5
w10 -= w10
w3 -= w11
w2 -= 0
w2 -= 1
w2 -= -1
w2 -= 0x7fffffff
w2 -= -0x80000000
w2 -= 0xffffffff
w2 -= 17
w0 *= w1
w9 *= w5
w10 *= w10
w3 *= w11
w2 *= 0
w2 *= 1
w2 *= -1
w2 *= 0x7fffffff
w2 *= -0x80000000
w2 *= 0xffffffff
w2 *= 17
w0 /= w1
w9 /= w5
w10 /= w10
w3 /= w11
w2 /= 0
w2 /= 1
w2 /= -1
w2 /= 0x7fffffff
w2 /= -0x80000000
w2 /= 0xffffffff
w2 /= 17
w0 |= w1
w9 |= w5
w10 |= w10
w3 |= w11
w2 |= 0
w2 |= 1
w2 |= -1
w2 |= 0x7fffffff
w2 |= -0x80000000
w2 |= 0xffffffff
w2 |= 17
w0 &= w1
w9 &= w5
w10 &= w10
w3 &= w11
w2 &= 0
w2 &= 1
w2 &= -1
w2 &= 0x7fffffff
w2 &= -0x80000000
w2 &= 0xffffffff
w2 &= 17
w0 <<= w1
w9 <<= w5
w10 <<= w10
w3 <<= w11
w2 <<= 0
w2 <<= 1
w2 <<= -1
w2 <<= 0x7fffffff
w2 <<= -0x80000000
w2 <<= 0xffffffff
w2 <<= 17
w0 >>= w1
w9 >>= w5
w10 >>= w10
w3 >>= w11
w2 >>= 0
w2 >>= 1
w2 >>= -1
w2 >>= 0x7fffffff
w2 >>= -0x80000000
w2 >>= 0xffffffff
w2 >>= 17
w0 %= w1
w9 %= w5
w10 %= w10
w3 %= w11
w2 %= 0
w2 %= 1
w2 %= -1
w2 %= 0x7fffffff
w2 %= -0x80000000
w2 %= 0xffffffff
w2 %= 17
w0 ^= w1
w9 ^= w5
w10 ^= w10
w3 ^= w11
w2 ^= 0
w2 ^= 1
w2 ^= -1
w2 ^= 0x7fffffff
w2 ^= -0x80000000
w2 ^= 0xffffffff
w2 ^= 17
w0 s>>= w1
w9 s>>= w5
w10 s>>= w10
w3 s>>= w11
w2 s>>= 0
w2 s>>= 1
w2 s>>= -1
w2 s>>= 0x7fffffff
w2 s>>= -0x80000000
w2 s>>= 0xffffffff
w2 s>>= 17
w0 s/= w1
w9 s/= w5
w10 s/= w10
w3 s/= w11
w2 s/= 0
w2 s/= 1
w2 s/= -1
w2 s/= 0x7fffffff
w2 s/= -0x80000000
w2 s/= 0xffffffff
w2 s/= 17
w0 s%= w1
w9 s%= w5
w10 s%= w10
w3 s%= w11
w2 s%= 0
w2 s%= 1
w2 s%= -1
w2 s%= 0x7fffffff
w2 s%= -0x80000000
w2 s%= 0xffffffff
w2 s%= 17
w0 = w1
w9 = w5
w10 = w10
w3 = w11
w2 = 0
w2 = 1
w2 = -1
w2 = 0x7fffffff
w2 = -0x80000000
w2 = 0xffffffff
w2 = 17
w0 = -w0
w7 = -w7
// sign extension
r4 = (s8)r5
r4 = (s16)r5
r4 = (s32)r5
w4 = (s8)w5
w4 = (s16)w5
r4 = (s8) r4
// byte order
r6 = le16 r6
r6 = le32 r6
r6 = le64 r6
r6 = be16 r6
r6 = be32 r6
r6 = be64 r6
r6 = bswap16 r6
r6 = bswap32 r6
r6 = bswap64 r6
// address spaces
r1 = addr_space_cast(r2, 0, 1)
r1 = addr_space_cast(r2, 1, 0)
r1 = addr_space_cast(r2, 7, 9)
// 64-bit immediates
r8 = 0 ll
r8 = 1 ll
r8 = -1 ll
r8 = 0x1122334455667788 ll
r8 = 0xffffffffffffffff ll
r8 = 0x8000000000000000 ll
r8 = -0x8000000000000000 ll
r8 = 4294967296 ll
ld_pseudo r0, 0, 40
ld_pseudo r1, 1, 41
ld_pseudo r2, 2, 42
ld_pseudo r3, 3, 43
ld_pseudo r4, 4, 44
ld_pseudo r5, 5, 45
ld_pseudo r6, 6, 46
// loads and stores
r1 = *(u8 *)(r10 + 0)
r1 = *(u8 *)(r10 - 8)
r1 = *(u8 *)(r10 + 32767)
r1 = *(u8 *)(r10 - 32768)
r1 = *(u16 *)(r10 + 0)
r1 = *(u16 *)(r10 - 8)
r1 = *(u16 *)(r10 + 32767)
r1 = *(u16 *)(r10 - 32768)
r1 = *(u32 *)(r10 + 0)
r1 = *(u32 *)(r10 - 8)
r1 = *(u32 *)(r10 + 32767)
r1 = *(u32 *)(r10 - 32768)
r1 = *(u64 *)(r10 + 0)
r1 = *(u64 *)(r10 - 8)
r1 = *(u64 *)(r10 + 32767)
r1 = *(u64 *)(r10 - 32768)
r1 = *(s8 *)(r10 + 0)
r1 = *(s8 *)(r10 - 8)
r1 = *(s8 *)(r10 + 32767)
r1 = *(s8 *)(r10 - 32768)
r1 = *(s16 *)(r10 + 0)
r1 = *(s16 *)(r10 - 8)
r1 = *(s16 *)(r10 + 32767)
r1 = *(s16 *)(r10 - 32768)
r1 = *(s32 *)(r10 + 0)
r1 = *(s32 *)(r10 - 8)
r1 = *(s32 *)(r10 + 32767)
r1 = *(s32 *)(r10 - 32768)
w1 = *(u8 *)(r3 + 4)
w1 = *(u16 *)(r3 + 4)
w1 = *(u32 *)(r3 + 4)
*(u8 *)(r10 - 16) = r7
*(u8 *)(r1 + 0) = 0
*(u8 *)(r1 + 0) = -1
*(u8 *)(r1 + 0) = 0x7fffffff
*(u8 *)(r1 + 0) = 4294967295
*(u8 *)(r10 - 16) = w7
*(u16 *)(r10 - 16) = r7
*(u16 *)(r1 + 0) = 0
*(u16 *)(r1 + 0) = -1
*(u16 *)(r1 + 0) = 0x7fffffff
*(u16 *)(r1 + 0) = 4294967295
*(u16 *)(r10 - 16) = w7
*(u32 *)(r10 - 16) = r7
*(u32 *)(r1 + 0) = 0
*(u32 *)(r1 + 0) = -1
*(u32 *)(r1 + 0) = 0x7fffffff
*(u32 *)(r1 + 0) = 4294967295
*(u32 *)(r10 - 16) = w7
*(u64 *)(r10 - 16) = r7
*(u64 *)(r1 + 0) = 0
*(u64 *)(r1 + 0) = -1
*(u64 *)(r1 + 0) = 0x7fffffff
*(u64 *)(r1 + 0) = 4294967295
// packets
r0 = *(u8 *)skb[12]
r0 = *(u8 *)skb[0x10000]
r0 = *(u8 *)skb[-4096]
r0 = *(u8 *)skb[r7]
r0 = *(u16 *)skb[12]
r0 = *(u16 *)skb[0x10000]
r0 = *(u16 *)skb[-4096]
r0 = *(u16 *)skb[r7]
r0 = *(u32 *)skb[12]
r0 = *(u32 *)skb[0x10000]
r0 = *(u32 *)skb[-4096]
r0 = *(u32 *)skb[r7]
// atomics
lock *(u64 *)(r1 + 0) += r2
lock *(u32 *)(r10 - 4) += w2
lock *(u32 *)(r10 - 4) += r2
lock *(u64 *)(r1 + 0) |= r2
lock *(u32 *)(r10 - 4) |= w2
lock *(u64 *)(r1 + 0) &= r2
lock *(u32 *)(r10 - 4) &= w2
lock *(u64 *)(r1 + 0) ^= r2
lock *(u32 *)(r10 - 4) ^= w2
r3 = atomic_fetch_add((u64 *)(r1 + 8), r3)
w3 = atomic_fetch_add((u32 *)(r1 - 8), w3)
r3 = atomic_fetch_or((u64 *)(r1 + 8), r3)
w3 = atomic_fetch_or((u32 *)(r1 - 8), w3)
r3 = atomic_fetch_and((u64 *)(r1 + 8), r3)
w3 = atomic_fetch_and((u32 *)(r1 - 8), w3)
r3 = atomic_fetch_xor((u64 *)(r1 + 8), r3)
w3 = atomic_fetch_xor((u32 *)(r1 - 8), w3)
r3 = xchg_64(r1 + 8, r3)
w3 = xchg32_32(r1 - 8, w3)
r0 = cmpxchg_64(r1 + 8, r0, r3)
w0 = cmpxchg32_32(r1 - 8, w0, w3)
// branches
back:
if r1 == r2 goto +3
if r1 == -5 goto -3
if r9 == 0xffffffff goto back
if r9 == r0 goto forth
if r1 != r2 goto +3
if r1 != -5 goto -3
if r9 != 0xffffffff goto back
if r9 != r0 goto forth
if r1 > r2 goto +3
if r1 > -5 goto -3
if r9 > 0xffffffff goto back
if r9 > r0 goto forth
if r1 >= r2 goto +3
if r1 >= -5 goto -3
if r9 >= 0xffffffff goto back
if r9 >= r0 goto forth
if r1 < r2 goto +3
if r1 < -5 goto -3
if r9 < 0xffffffff goto back
if r9 < r0 goto forth
if r1 <= r2 goto +3
if r1 <= -5 goto -3
if r9 <= 0xffffffff goto back
if r9 <= r0 goto forth
if r1 s> r2 goto +3
if r1 s> -5 goto -3
if r9 s> 0xffffffff goto back
if r9 s> r0 goto forth
if r1 s>= r2 goto +3
if r1 s>= -5 goto -3
if r9 s>= 0xffffffff goto back
if r9 s>= r0 goto forth
if r1 s< r2 goto +3
if r1 s< -5 goto -3
if r9 s< 0xffffffff goto back
if r9 s< r0 goto forth
if r1 s<= r2 goto +3
if r1 s<= -5 goto -3
if r9 s<= 0xffffffff goto back
if r9 s<= r0 goto forth
if r1 & r2 goto +3
if r1 & -5 goto -3
if r9 & 0xffffffff goto back
if r9 & r0 goto forth
if w1 == w2 goto +3
if w1 == -5 goto -3
if w9 == 0xffffffff goto back
if w9 == w0 goto forth
if w1 != w2 goto +3
if w1 != -5 goto -3
if w9 != 0xffffffff goto back
if w9 != w0 goto forth
if w1 > w2 goto +3
if w1 > -5 goto -3
if w9 > 0xffffffff goto back
if w9 > w0 goto forth
if w1 >= w2 goto +3
if w1 >= -5 goto -3
if w9 >= 0xffffffff goto back
if w9 >= w0 goto forth
if w1 < w2 goto +3
if w1 < -5 goto -3
if w9 < 0xffffffff goto back
if w9 < w0 goto forth
if w1 <= w2 goto +3
if w1 <= -5 goto -3
if w9 <= 0xffffffff goto back
if w9 <= w0 goto forth
if w1 s> w2 goto +3
if w1 s> -5 goto -3
if w9 s> 0xffffffff goto back
if w9 s> w0 goto forth
if w1 s>= w2 goto +3
if w1 s>= -5 goto -3
if w9 s>= 0xffffffff goto back
if w9 s>= w0 goto forth
if w1 s< w2 goto +3
if w1 s< -5 goto -3
if w9 s< 0xffffffff goto back
if w9 s< w0 goto forth
if w1 s<= w2 goto +3
if w1 s<= -5 goto -3
if w9 s<= 0xffffffff goto back
if w9 s<= w0 goto forth
if w1 & w2 goto +3
if w1 & -5 goto -3
if w9 & 0xffffffff goto back
if w9 & w0 goto forth
goto +0
goto +5
goto -5
goto 7
goto +32767
goto -32768
may_goto +0
may_goto +5
may_goto -5
may_goto 7
may_goto +32767
may_goto -32768
gotol +0
gotol +5
gotol -5
gotol 7
gotol +32767
gotol -32768
goto back
goto forth
gotol back
gotol forth
1:
goto 1b
goto 1f
1: r1 = 1
if r1 == 1 goto 1b
2: 3: goto 2b
goto 3b
forth:
// calls
call 14
call 0x10
call +3
call -1
call 1+2
call 195896080
callx r3
callx r0
exit
// spelling
r1=r2
R1 += r2
r1 << = 5
r1 > > = 5
r1 s >> = 5
if r1 s > 5 goto +1
if r1 = = 5 goto +1
*(u32*)(r1+0)=5
* (u32 *) ( r1 - 4 ) = r2
r1 = *(u32*)(r2+0x10)
IF r1 == 1 goto +1
EXIT
r1 = 1;r2 = 2 ; r3 = 3
r1 = 1 // comment
r1 = 1 # comment
r1 = 1 /* comment */
r1 = 1 /* a comment
of two lines */
	r1 = 1
label.with$signs_0: r1 = 1
goto label.with$signs_0
r1 = - 1
r1 = + 1
// numbers
r5 = 017
r5 = 0b101
r5 = 0X1F
r5 = 'a'
r5 = 1+2
r5 = 7-2*3
r5 = 1+2|4
r5 = 1|2+4
r5 = 3*4%5
r5 = 1<<4
r5 = 256>>4|1
r5 = 0xff&0x0f^1
r5 = -1+2
r5 = 10/3
r5 = -7/2
r5 = 2*(3+4)
r5 = 5
r5 = 1+-2
r1 = *(u32 *)(r2 + 4 + 4)
r1 = *(u32 *)(r2 - 4 * 2)
goto +1+2
if r1 == 1 + 1 goto +1
