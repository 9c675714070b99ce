/*
 * Questions to the types of target.c: there, some have two flavours that differ (ambiguous), some live in packed or
 * signed bit-fields, in 64-bit enums, in flexible and multi-dimensional arrays and in unions without a name.
 */
#include "bpf.h"

u64 sink;

struct point { int x, y; } KERNEL;
struct twin { int where; int same; u32 bits : 5; } KERNEL;
struct shape {
	struct point corners[4];
	union { struct { u16 near, far; }; u32 both; };
	u32 packed_bits : 7;
	s32 signed_bits : 9;
	u64 wide_bits : 40;
	u8 grid[2][3];
	struct point *next;
	s8 small;
	float weight;
	void (*callback)(int);
	struct point tail[];
} KERNEL;
struct handle { int value; u32 part : 3; struct { u8 deep : 2; }; u16 list[4]; } KERNEL;
typedef struct { int value; u32 part; } handle_t;
typedef int vector_t[4];
enum colour { RED = 5, GREEN = 6, VIOLET = 7 };
enum twin_enum { TWIN_A = 1, TWIN_SAME = 2 };
enum signed_enum { MINUS_ONE = 3, PLUS_ONE = 4 };
#if __clang_major__ >= 15
enum huge { HUGE = 0x100000000ULL, HUGER = 0x200000000ULL };
enum huge_signed { HUGE_NEGATIVE = -0x100000000LL };
enum shrunk { SHRUNK = 0x500000000ULL };
#endif

#define ALL(field) (FIELD_BYTE_OFFSET(field) + FIELD_BYTE_SIZE(field) + FIELD_EXISTS(field) + FIELD_SIGNED(field) + FIELD_LSHIFT(field) + FIELD_RSHIFT(field))

SEC("raw_tp/fields")
int fields(void *ctx)
{
	struct shape *shape = *(struct shape **)ctx;

	sink = ALL(shape->packed_bits) + ALL(shape->signed_bits) + ALL(shape->wide_bits) + ALL(shape->small);
	sink += ALL(shape->near) + ALL(shape->far) + ALL(shape->both);
	sink += ALL(shape->corners[2].y) + ALL(shape[1].packed_bits) + ALL(shape->tail[5].y);
	sink += ALL(((struct handle *)0)->value) + ALL(((struct handle *)0)->part) + ALL(((struct handle *)0)->deep);
	return 0;
}

SEC("raw_tp/elements")
int elements(void *ctx)
{
	struct shape *shape = *(struct shape **)ctx;
	struct handle *handle = *(struct handle **)ctx;

	sink = shape->grid[1][2] + shape->corners[3].x + shape->tail[9].x + handle->list[2] + handle[3].value;
	sink += FIELD_BYTE_SIZE(shape->grid[1]) + FIELD_BYTE_OFFSET(shape->grid[1][1]) + FIELD_EXISTS(shape->grid[1][2]);
	sink += FIELD_BYTE_SIZE(shape->weight) + (u64)shape->next + shape->next->x + (u64)shape->callback;
	return 0;
}

SEC("raw_tp/types")
int types(void *ctx)
{
	sink = TYPE_EXISTS(handle_t) + TYPE_SIZE(handle_t) + TYPE_ID_TARGET(handle_t) + TYPE_ID_LOCAL(handle_t);
	sink += TYPE_EXISTS(vector_t) + TYPE_SIZE(vector_t) + TYPE_ID_TARGET(vector_t) + TYPE_ID_LOCAL(vector_t);
	sink += TYPE_EXISTS(struct twin);
#if __clang_major__ >= 15
	sink += TYPE_MATCHES(handle_t) + 2 * TYPE_MATCHES(vector_t) + 4 * TYPE_MATCHES(struct point) + 8 * TYPE_MATCHES(struct shape);
#endif
	return 0;
}

SEC("raw_tp/enumerators")
int enumerators(void *ctx)
{
	sink = ENUMVAL_VALUE(enum colour, RED) + ENUMVAL_VALUE(enum colour, GREEN) + ENUMVAL_EXISTS(enum colour, VIOLET);
	sink += ENUMVAL_VALUE(enum signed_enum, MINUS_ONE) + ENUMVAL_VALUE(enum signed_enum, PLUS_ONE);
	sink += ENUMVAL_EXISTS(enum twin_enum, TWIN_A);
#if __clang_major__ >= 15
	sink += ENUMVAL_VALUE(enum huge, HUGE) + ENUMVAL_VALUE(enum huge, HUGER) + ENUMVAL_EXISTS(enum huge, HUGE);
	sink += ENUMVAL_VALUE(enum huge_signed, HUGE_NEGATIVE) + ENUMVAL_VALUE(enum shrunk, SHRUNK);
#endif
	return 0;
}

SEC("raw_tp/same_twin")
int same_in_both(void *ctx)
{
	struct twin *twin = *(struct twin **)ctx;

	sink = twin->same + FIELD_BYTE_SIZE(twin->same) + FIELD_EXISTS(twin->same) + ENUMVAL_VALUE(enum twin_enum, TWIN_SAME);
	return 0;
}

/* Each of these is refused: the two flavours of the target disagree. A program for each kind. */
#define AMBIGUOUS(kind, expression)                                                                  \
	SEC("?raw_tp/ambiguous_" #kind) int ambiguous_##kind(void *ctx)                              \
	{                                                                                            \
		sink = expression;                                                                   \
		return 0;                                                                            \
	}
AMBIGUOUS(load, (*(struct twin **)ctx)->where)
AMBIGUOUS(field_byte_offset, FIELD_BYTE_OFFSET(((struct twin *)0)->where))
AMBIGUOUS(field_byte_size, FIELD_BYTE_SIZE(((struct twin *)0)->where))
AMBIGUOUS(field_exists, FIELD_EXISTS(((struct twin *)0)->where))
AMBIGUOUS(field_signed, FIELD_SIGNED(((struct twin *)0)->where))
AMBIGUOUS(field_lshift_u64, FIELD_LSHIFT(((struct twin *)0)->bits))
AMBIGUOUS(field_rshift_u64, FIELD_RSHIFT(((struct twin *)0)->bits))
AMBIGUOUS(type_size, TYPE_SIZE(struct twin))
AMBIGUOUS(type_id_target, TYPE_ID_TARGET(struct twin))
AMBIGUOUS(enumval_value, ENUMVAL_VALUE(enum twin_enum, TWIN_A))

/* Questions that have no answer: shifts of an element that is no member. */
AMBIGUOUS(element_shift, FIELD_LSHIFT(((struct shape *)0)->grid[1][2]))
AMBIGUOUS(element_signed, FIELD_SIGNED(((struct shape *)0)->grid[1][2]))

char LICENSE[] SEC("license") = "GPL";
