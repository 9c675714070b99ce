/* A variable of every shape that a struct can have, with values to be read back. Compiled for BPF, never run. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed long long s64;
typedef _Bool bool;

enum colour { RED, GREEN = 5, BLUE = -2 };
enum wide { SMALL = 1, LARGE = 0x1234567890ULL };
enum __attribute__((mode(byte))) tiny { TINY_A = 1, TINY_B = 100 };

struct list {
	struct list *next, *prev;
};

struct numbers {
	char letter;
	signed char s8;
	u8 b;
	short s16;
	u16 h;
	int s32;
	u32 w;
	s64 s64;
	u64 d;
	bool yes, no;
	float f;
	double g;
};

struct bits {
	u32 low : 3;
	u32 mid : 11;
	int minus : 5;
	u64 wide : 40;
	bool flag : 1;
	enum colour colour : 4;
	u8 : 0;
	u8 after : 2;
};

struct packed {
	u8 first;
	u32 second;
	u64 third;
} __attribute__((packed));

union number {
	u32 whole;
	u16 halves[2];
	u8 bytes[4];
};

struct nested {
	struct packed packed;
	union {
		u64 raw;
		struct {
			u32 lower;
			u32 upper;
		};
	};
	struct {
		int x, y;
	} points[2];
	union number number;
	struct list list;
};

struct arrays {
	char name[8];
	u8 mac[6];
	int matrix[2][3];
	enum tiny tiny[2];
	struct packed records[2];
	const char *words[2];
	char tail[];
};

struct pointers {
	struct list *list;
	const struct pointers *self;
	void *nothing;
	int (*callback)(struct list *list, u64 delete, ...);
	int (*table[2])(void);
	struct unknown *elsewhere;
};

struct everything {
	struct numbers numbers;
	struct bits bits;
	struct nested nested;
	struct pointers pointers;
	enum colour colour;
	enum wide wide;
	struct {} nothing;
	__int128 huge;
};

typedef struct {
	u32 class;
	volatile const u16 function;
} anonymous_t;

struct list head;

struct everything everything = {
	.numbers = { 'k', -3, 250, -30000, 60000, -2000000000, 4000000000u, -9000000000000000000LL, 18000000000000000000ULL,
		     1, 0, 1.5f, -2.25 },
	.bits = { .low = 5, .mid = 1999, .minus = -7, .wide = 0xabcdef0123ULL, .flag = 1, .colour = GREEN, .after = 3 },
	.nested = { .packed = { 1, 0x01020304, 0x1112131415161718ULL },
		    .raw = 0x8899aabbccddeeffULL,
		    .points = { { 1, -1 }, { 2, -2 } },
		    .number = { .whole = 0xcafef00d } },
	.pointers = { .nothing = (void *)0xffff888000001000ULL },
	.colour = BLUE,
	.wide = LARGE,
	.huge = -5,
};

struct arrays arrays = {
	.name = "kscope",
	.mac = { 1, 2, 3, 4, 5, 255 },
	.matrix = { { 1, 2, 3 }, { -1, -2, -3 } },
	.tiny = { TINY_B, TINY_A },
	.records = { { 1, 2, 3 }, { 4, 5, 6 } },
	.tail = "end",
};

anonymous_t anonymous = { .class = 7, .function = 9 };
