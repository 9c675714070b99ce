/* Enumerators: whether they exist, and their value in an immediate of 32 or 64 bits. */
#include "bpf.h"

u64 sink;

enum pid_type { PIDTYPE_MAX = 77, PIDTYPE_SID = 55, PIDTYPE_NOWHERE = 11 };
enum pid_type___mine { PIDTYPE_SID___mine = 9 };
enum bpf_map_type { BPF_MAP_TYPE_RINGBUF = 1000, BPF_MAP_TYPE_FUTURE = 1001 };
enum bpf_attach_type { BPF_TRACE_ITER = 3 };
enum no_such_enum { NO_SUCH_VALUE = 4 };
enum tk_offsets_or_none { TK_OFFS_NEGATIVE = -5 };
enum migratetype { MIGRATE_TYPES = 99, MIGRATE_UNMOVABLE = 98 };
typedef enum { PHY_INTERFACE_MODE_MAX = 3, PHY_INTERFACE_MODE_NONE = 2 } phy_interface_t;
enum bpf_kfunc_flags_or_none { FLAG_NEGATIVE = -1 };

SEC("raw_tp/sched_switch")
int existence(void *ctx)
{
	sink = ENUMVAL_EXISTS(enum pid_type, PIDTYPE_MAX) + 2 * ENUMVAL_EXISTS(enum pid_type, PIDTYPE_NOWHERE);
	sink += 4 * ENUMVAL_EXISTS(enum pid_type___mine, PIDTYPE_SID___mine);
	sink += 8 * ENUMVAL_EXISTS(enum no_such_enum, NO_SUCH_VALUE);
	sink += 16 * ENUMVAL_EXISTS(phy_interface_t, PHY_INTERFACE_MODE_MAX);
	return 0;
}

SEC("raw_tp/sched_wakeup")
int values(void *ctx)
{
	sink = ENUMVAL_VALUE(enum pid_type, PIDTYPE_MAX) + ENUMVAL_VALUE(enum pid_type, PIDTYPE_SID);
	sink += ENUMVAL_VALUE(enum pid_type___mine, PIDTYPE_SID___mine);
	sink += ENUMVAL_VALUE(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF);
	sink += ENUMVAL_VALUE(enum bpf_attach_type, BPF_TRACE_ITER);
	sink += ENUMVAL_VALUE(enum migratetype, MIGRATE_TYPES);
	sink += ENUMVAL_VALUE(phy_interface_t, PHY_INTERFACE_MODE_MAX);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int absent(void *ctx)
{
	if (ENUMVAL_EXISTS(enum bpf_map_type, BPF_MAP_TYPE_FUTURE))
		sink = ENUMVAL_VALUE(enum bpf_map_type, BPF_MAP_TYPE_FUTURE);
	if (ENUMVAL_EXISTS(enum no_such_enum, NO_SUCH_VALUE))
		sink += ENUMVAL_VALUE(enum no_such_enum, NO_SUCH_VALUE);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
