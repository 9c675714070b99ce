/* Integer types, compiler attributes and the few generic macros every file uses. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef u16 __be16;
typedef u32 __be32;
typedef _Bool bool;
typedef u64 size_t;
typedef s64 ssize_t;
typedef s64 loff_t;
typedef int pid_t;
typedef u32 dev_t;
typedef u64 sector_t;
typedef u16 umode_t;
typedef unsigned long ino_t;
typedef u32 uid_t;
typedef u32 gfp_t;
typedef s64 ktime_t;
typedef u32 blk_opf_t;
typedef u8 blk_status_t;
typedef u32 kuid_t_val;
typedef struct { kuid_t_val val; } kuid_t;
typedef struct { kuid_t_val val; } kgid_t;
typedef struct { volatile int counter; } atomic_t;
typedef struct { volatile long counter; } atomic_long_t;

#define true 1
#define false 0
#define NULL ((void *)0)

#define __always_inline inline __attribute__((always_inline))
#define __used __attribute__((used))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __section(s) __attribute__((section(s)))
#define __noreturn __attribute__((noreturn))
/* Code that runs before registers of a trap are handed on: no breakpoint may be put there. */
#define __kprobes __section(".kprobes.text")

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ volatile("" ::: "memory")
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define offsetof(type, member) __builtin_offsetof(type, member)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#define MAX_ERRNO 4095
static __always_inline void *ERR_PTR(long error) { return (void *)error; }
static __always_inline long PTR_ERR(const void *ptr) { return (long)ptr; }
static __always_inline bool IS_ERR(const void *ptr) { return (u64)ptr >= (u64)-MAX_ERRNO; }

static __always_inline u16 swab16(u16 x) { return (u16)(x << 8 | x >> 8); }
