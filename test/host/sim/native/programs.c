/*
 * Compiler output to run twice: as a Linux process and on the simulated processor. It computes into a
 * buffer, writes it to standard output and exits; nothing else leaves it.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;
typedef __int128 s128;
typedef unsigned __int128 u128;

static u64 results[4096];
static u32 count;
static u64 state = 0x9e3779b97f4a7c15ul;

#define NOINLINE __attribute__((noinline))

static void put(u64 value)
{
	if (count < 4096)
		results[count++] = value;
}

static NOINLINE u64 next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void *memcpy(void *to, const void *from, u64 n)
{
	void *start = to;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return start;
}
void *memset(void *to, int byte, u64 n)
{
	void *start = to;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
	return start;
}

static NOINLINE void quicksort(s64 *a, int low, int high)
{
	while (low < high) {
		s64 pivot = a[(low + high) / 2];
		int i = low, j = high;
		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				s64 t = a[i];
				a[i++] = a[j];
				a[j--] = t;
			}
		}
		quicksort(a, low, j);
		low = i;
	}
}

static NOINLINE u64 hash_bytes(const u8 *p, u64 n)
{
	u64 h = 0xcbf29ce484222325ul;
	while (n--)
		h = (h ^ *p++) * 0x100000001b3ul;
	return h;
}

static NOINLINE u32 crc32(const u8 *p, u64 n)
{
	u32 crc = ~0u;
	while (n--) {
		crc ^= *p++;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static NOINLINE u64 siphash(u64 k0, u64 k1, u64 m)
{
	u64 v0 = k0 ^ 0x736f6d6570736575ul, v1 = k1 ^ 0x646f72616e646f6dul;
	u64 v2 = k0 ^ 0x6c7967656e657261ul, v3 = k1 ^ 0x7465646279746573ul ^ m;
#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))
	for (int i = 0; i < 6; i++) {
		v0 += v1;
		v1 = ROTL(v1, 13) ^ v0;
		v0 = ROTL(v0, 32);
		v2 += v3;
		v3 = ROTL(v3, 16) ^ v2;
		v0 += v3;
		v3 = ROTL(v3, 21) ^ v0;
		v2 += v1;
		v1 = ROTL(v1, 17) ^ v2;
		v2 = ROTL(v2, 32);
	}
	return v0 ^ v1 ^ v2 ^ v3;
}

static NOINLINE u32 sieve(u8 *flags, u32 n)
{
	u32 primes = 0;
	memset(flags, 1, n);
	for (u32 i = 2; i < n; i++) {
		if (!flags[i])
			continue;
		primes++;
		for (u32 j = i * 2; j < n; j += i)
			flags[j] = 0;
	}
	return primes;
}

static NOINLINE u64 ackermann(u64 m, u64 n) { return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }

static NOINLINE void wide(u64 a, u64 b)
{
	u128 product = (u128)a * b;
	s128 signed_product = (s128)(s64)a * (s64)b;
	u128 sum = product + ((u128)b << 64 | a);
	put((u64)product), put((u64)(product >> 64));
	put((u64)signed_product), put((u64)(signed_product >> 64));
	put((u64)sum), put((u64)(sum >> 64));
	put((u64)(product >> (b & 63))), put((u64)(product << (a & 127) >> 64));
	put((u64)(signed_product >> (a & 127)));
	put(product < sum), put(signed_product < (s128)sum);
}

static NOINLINE void divisions(u64 a, u64 b)
{
	u64 d = b | 1;
	s64 sd = (s64)(b >> 1 | 1);
	put(a / d), put(a % d);
	put((u64)((s64)a / sd)), put((u64)((s64)a % sd));
	put((u32)a / (u32)d), put((u32)a % (u32)d);
	put((u64)((int)a / (int)(sd & 0x7fffffff))), put((u64)((int)a % (int)(sd & 0x7fffffff)));
	put((u16)a / (u16)d), put((u8)a % (u8)d);
	put(a / 10), put(a % 1000000007), put((u64)((s64)a / -7));
}

static NOINLINE void bits(u64 a, u64 b)
{
	put((u64)__builtin_clzl(a | 1)), put((u64)__builtin_ctzl(a | 1ul << 63));
	put(__builtin_bswap64(a)), put(__builtin_bswap32((u32)a)), put(__builtin_bswap16((u16)a));
	put((u64)__builtin_popcountl(a)), put((u64)__builtin_parityl(b)), put((u64)__builtin_ffsl((s64)b));
	put(a << (b & 63)), put(a >> (b & 63)), put((u64)((s64)a >> (b & 63)));
	put((u32)a << (b & 31)), put((u64)((int)a >> (b & 31)));
	put((a & 1ul << (b & 63)) != 0), put(a ^ 1ul << (b & 63)), put(a & ~(1ul << (b & 63)));
	put((u64)(s64)(signed char)a), put((u64)(s64)(short)a), put((u64)(s64)(int)a), put((u8)(a >> 8));
	put((u64)__builtin_add_overflow_p((s64)a, (s64)b, (s64)0)), put((u64)__builtin_mul_overflow_p(a, b, 0ul));
	put((u64)__builtin_sub_overflow_p((int)a, (int)b, 0));
}

struct record {
	u32 a : 3, b : 11, c : 18;
	s64 d;
	u8 name[40];
};

static NOINLINE struct record make_record(u64 seed)
{
	struct record r = { .a = (u32)seed, .b = (u32)(seed >> 3), .c = (u32)(seed >> 20), .d = -(s64)seed };
	for (u32 i = 0; i < sizeof(r.name); i++)
		r.name[i] = (u8)(seed >> (i & 56)) + (u8)i;
	return r;
}

static NOINLINE u64 interpret(const u8 *code)
{
	u64 stack[16] = { 1 }, accumulator = 7;
	for (int sp = 0;; code++) {
		switch (*code & 15) {
		case 0: return accumulator;
		case 1: accumulator += *++code; break;
		case 2: accumulator *= 31; break;
		case 3: stack[sp++ & 15] = accumulator; break;
		case 4: accumulator ^= stack[--sp & 15]; break;
		case 5: accumulator = accumulator >> 3 | accumulator << 61; break;
		case 6: accumulator = (u64) - (s64)accumulator; break;
		case 7: accumulator = ~accumulator; break;
		case 8: accumulator -= stack[sp & 15]; break;
		case 9: if (accumulator & 1) code++; break;
		case 10: accumulator = (u32)accumulator; break;
		default: accumulator++; break;
		}
	}
}

static NOINLINE void atomics(u64 a, u64 b)
{
	static u64 cell;
	static u32 small;
	cell = a, small = (u32)b;
	put(__atomic_fetch_add(&cell, b, __ATOMIC_SEQ_CST)), put(__atomic_exchange_n(&small, (u32)a, __ATOMIC_SEQ_CST));
	put(__atomic_fetch_or(&cell, a, __ATOMIC_SEQ_CST)), put(__atomic_sub_fetch(&small, 3, __ATOMIC_SEQ_CST));
	put((u64)__atomic_compare_exchange_n(&cell, &a, b, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)), put(a), put(cell);
}

typedef u64 (*operation)(u64, u64);
static NOINLINE u64 op_add(u64 a, u64 b) { return a + b; }
static NOINLINE u64 op_sub(u64 a, u64 b) { return a - b; }
static NOINLINE u64 op_max(u64 a, u64 b) { return a > b ? a : b; }
static NOINLINE u64 op_min(u64 a, u64 b) { return (s64)a < (s64)b ? a : b; }
static const operation operations[] = { op_add, op_sub, op_max, op_min };

static u8 buffer[4096];
static s64 numbers[300];

static NOINLINE void compute(void)
{
	static const u8 code[] = { 1, 5, 2, 3, 1, 9, 4, 5, 6, 9, 7, 8, 3, 11, 2, 10, 4, 0, 0 };
	for (int i = 0; i < 300; i++)
		numbers[i] = (s64)next_random() >> (i & 31);
	quicksort(numbers, 0, 299);
	put(hash_bytes((const u8 *)numbers, sizeof(numbers)));
	for (u32 i = 0; i < sizeof(buffer); i++)
		buffer[i] = (u8)next_random();
	put(crc32(buffer, sizeof(buffer)));
	for (int i = 0; i < 12; i++) {
		u64 a = next_random() >> (i * 5), b = next_random() >> (60 - i * 5);
		struct record r = make_record(a);
		struct record copy = r;
		wide(a, b), divisions(a, b), bits(a, b), atomics(a, b);
		put(siphash(a, b, a ^ b)), put(operations[a & 3](a, b));
		put(hash_bytes((const u8 *)&copy, sizeof(copy))), put(copy.a), put(copy.b), put(copy.c);
	}
	put(sieve(buffer, sizeof(buffer))), put(ackermann(2, 9)), put(interpret(code));
}

__attribute__((used)) void start(void)
{
	u64 result;
	compute();
	__asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"(results), "d"(count * 8ul) : "rcx", "r11", "memory");
	__asm__ volatile("syscall" : "=a"(result) : "a"(231), "D"(0) : "rcx", "r11", "memory");
	__builtin_unreachable();
}

__asm__(".globl _start\n_start:\n	xorl %ebp, %ebp\n	andq $-16, %rsp\n	call start\n");
