/* Relocations about whole types: existence, size, identity, and (from clang 15 on) matching. */
#include "bpf.h"
#include "kernel.h"

u64 sink;

struct no_such_struct { int field; } KERNEL;
struct task_struct___wrong { int pid; } KERNEL;
union no_such_union { int field; };
enum pid_type___mine { PIDTYPE_PID___mine, PIDTYPE_TGID___mine };
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef atomic64_t atomic_long_t;
typedef unsigned int gfp_t;
typedef int no_such_typedef_t;
typedef struct { unsigned long fds_bits[16]; } __kernel_fd_set;
typedef struct { unsigned long bits[1]; } nodemask_t;
typedef u64 (*btf_bpf_get_smp_processor_id)(void);
typedef int (*no_such_function_t)(int);

SEC("raw_tp/sched_switch")
int existence(void *ctx)
{
	sink = TYPE_EXISTS(struct task_struct) + 2 * TYPE_EXISTS(struct no_such_struct) + 4 * TYPE_EXISTS(union no_such_union);
	sink += 8 * TYPE_EXISTS(struct task_struct___wrong) + 16 * TYPE_EXISTS(enum pid_type___mine) + 32 * TYPE_EXISTS(atomic_t);
	sink += 64 * TYPE_EXISTS(gfp_t) + 128 * TYPE_EXISTS(no_such_typedef_t) + 256 * TYPE_EXISTS(btf_bpf_get_smp_processor_id);
	sink += 512 * TYPE_EXISTS(no_such_function_t) + 1024 * TYPE_EXISTS(nodemask_t);
	return 0;
}

SEC("raw_tp/sched_wakeup")
int sizes(void *ctx)
{
	sink = TYPE_SIZE(struct task_struct) + TYPE_SIZE(struct no_such_struct) + TYPE_SIZE(atomic_t) + TYPE_SIZE(gfp_t);
	sink += TYPE_SIZE(struct task_struct___wrong) + TYPE_SIZE(__kernel_fd_set) + TYPE_SIZE(atomic_long_t);
	sink += TYPE_SIZE(enum pid_type___mine) + TYPE_SIZE(no_such_typedef_t);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int identities(void *ctx)
{
	sink = TYPE_ID_LOCAL(struct task_struct) + TYPE_ID_TARGET(struct task_struct);
	sink += TYPE_ID_LOCAL(struct no_such_struct) + TYPE_ID_TARGET(struct no_such_struct);
	sink += TYPE_ID_LOCAL(atomic_t) + TYPE_ID_TARGET(atomic_t);
	sink += TYPE_ID_LOCAL(struct task_struct___wrong) + TYPE_ID_TARGET(struct task_struct___wrong);
	return 0;
}

#if __clang_major__ >= 15
struct list_head___exact { struct list_head *next, *prev; };
struct list_head___bigger { struct list_head *next, *prev, *none; };
struct list_head___typed { u64 next, prev; };
struct load_weight___exact { unsigned long weight; u32 inv_weight; };
struct load_weight___signed { unsigned long weight; s32 inv_weight; };
enum pid_type___less { PIDTYPE_TGID___less };
enum pid_type___more { PIDTYPE_PID___more, PIDTYPE_NONE___more };

SEC("raw_tp/sched_process_exit")
int matching(void *ctx)
{
	sink = TYPE_MATCHES(struct list_head___exact) + 2 * TYPE_MATCHES(struct list_head___bigger);
	sink += 4 * TYPE_MATCHES(struct list_head___typed) + 8 * TYPE_MATCHES(struct load_weight___exact);
	sink += 16 * TYPE_MATCHES(struct load_weight___signed) + 32 * TYPE_MATCHES(enum pid_type___less);
	sink += 64 * TYPE_MATCHES(enum pid_type___more) + 128 * TYPE_MATCHES(struct no_such_struct);
	sink += 256 * TYPE_MATCHES(atomic_t) + 512 * TYPE_MATCHES(gfp_t) + 1024 * TYPE_MATCHES(nodemask_t);
	sink += 2048 * TYPE_MATCHES(struct task_struct) + 4096 * TYPE_MATCHES(btf_bpf_get_smp_processor_id);
	return 0;
}
#endif

char LICENSE[] SEC("license") = "GPL";
