#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

typedef unsigned long long u64;

struct point {
	u64 added;
	int y;
	int x;
};

typedef unsigned int u32;

struct twin___one {
	int same;
	int where;
	u32 bits: 5;
};

struct twin___two {
	int same;
	long other;
	short where;
	u64 more: 3;
	u64 bits: 9;
};

typedef unsigned short u16;

struct handle {
	long before;
	int value;
	u16 gap: 4;
	u16 part: 6;
	union {
		u32 deep: 30;
	};
	u16 list[8];
};

typedef struct {
	int value;
	u32 part;
} handle_t;

typedef int vector_t[6];

enum colour {
	BLUE = 0,
	GREEN = 60,
	RED = 50,
};

enum twin_enum___one {
	TWIN_A___one = 10,
	TWIN_SAME___one = 20,
};

enum twin_enum___two {
	TWIN_A___two = 11,
	TWIN_SAME___two = 20,
};

enum signed_enum {
	MINUS_ONE = -1,
	PLUS_ONE = 1,
};

enum huge {
	HUGE = 1311768464867721217ULL,
	HUGER = 18364758544493064720ULL,
};

enum huge_signed {
	HUGE_NEGATIVE = -8526495038820057088LL,
};

enum shrunk {
	SHRUNK = 12,
};

struct everything {
	struct point a;
	struct twin___one b;
	struct twin___two c;
	struct handle e;
	handle_t n;
	vector_t f;
	enum colour g;
	enum twin_enum___one h;
	enum twin_enum___two i;
	enum signed_enum j;
	enum huge k;
	enum huge_signed l;
	enum shrunk m;
};

typedef unsigned char u8;

struct shape {
	u32 flags: 3;
	u32 packed_bits: 11;
	u64 added;
	int signed_bits: 17;
	u64 before: 20;
	long: 27;
	u64 wide_bits: 33;
	union {
		int alone;
		struct {
			union {
				u64 both;
				struct {
					u8 pad[3];
					u8 near;
					u32 far;
				};
			};
		};
	};
	struct point corners[8];
	unsigned short grid[3][4];
	struct point *next;
	signed char small;
	double weight;
	void (*callback)(long, long);
	int count;
	struct point tail[0];
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
