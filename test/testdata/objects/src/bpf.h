/* What the objects of this folder share: BPF helpers, map definitions, CO-RE built-ins. */
#pragma once

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;
typedef _Bool bool;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))
#define WEAK __attribute__((weak))
#define HIDDEN __attribute__((visibility("hidden")))
#define KSYM __attribute__((section(".ksyms")))
#define KCONFIG __attribute__((section(".kconfig")))
/* Types of the kernel: every access to a member is relocated. */
#define KERNEL __attribute__((preserve_access_index))

#define NUMBER(name, value) int (*name)[value]
#define TYPE(name, value) typeof(value) *name

enum map_type {
	HASH = 1, ARRAY = 2, PROG_ARRAY = 3, PERF_EVENT_ARRAY = 4, PERCPU_HASH = 5, PERCPU_ARRAY = 6,
	STACK_TRACE = 7, LRU_HASH = 9, ARRAY_OF_MAPS = 12, HASH_OF_MAPS = 13, RINGBUF = 27,
};

static void *(*map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*ktime_get_ns)(void) = (void *)5;
static long (*trace_printk)(const char *format, u32 size, ...) = (void *)6;
static u32 (*get_prandom_u32)(void) = (void *)7;
static void (*tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static u64 (*get_current_pid_tgid)(void) = (void *)14;
static u64 (*get_current_task)(void) = (void *)35;
static long (*perf_event_output)(void *ctx, void *map, u64 flags, void *data, u64 size) = (void *)25;
static long (*get_stackid)(void *ctx, void *map, u64 flags) = (void *)27;
static long (*probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*ringbuf_output)(void *map, void *data, u64 size, u64 flags) = (void *)130;
static long (*for_each_map_elem)(void *map, void *callback, void *ctx, u64 flags) = (void *)164;
static long (*loop)(u32 count, void *callback, void *ctx, u64 flags) = (void *)181;

/* Second arguments of clang's CO-RE built-ins. */
#define FIELD_BYTE_OFFSET(field) __builtin_preserve_field_info(field, 0)
#define FIELD_BYTE_SIZE(field) __builtin_preserve_field_info(field, 1)
#define FIELD_EXISTS(field) __builtin_preserve_field_info(field, 2)
#define FIELD_SIGNED(field) __builtin_preserve_field_info(field, 3)
#define FIELD_LSHIFT(field) __builtin_preserve_field_info(field, 4)
#define FIELD_RSHIFT(field) __builtin_preserve_field_info(field, 5)
#define TYPE_ID_LOCAL(type) __builtin_btf_type_id(*(type *)0, 0)
#define TYPE_ID_TARGET(type) __builtin_btf_type_id(*(type *)0, 1)
#define TYPE_EXISTS(type) __builtin_preserve_type_info(*(type *)0, 0)
#define TYPE_SIZE(type) __builtin_preserve_type_info(*(type *)0, 1)
#define TYPE_MATCHES(type) __builtin_preserve_type_info(*(type *)0, 2)
#define ENUMVAL_EXISTS(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define ENUMVAL_VALUE(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

/* The address of a member, found by a relocated addition; reads through it are not relocated. */
#define ADDRESS(field) __builtin_preserve_access_index(&(field))
#define READ(to, field) probe_read_kernel(&(to), sizeof(to), ADDRESS(field))

/* The one result of the programs here, so that nothing is optimised away. */
extern u64 sink;
