/*
 * Types that BPF programs name but the kernel itself does not use: the contexts of their hooks, with Linux's
 * names and layouts, so that programs built against Linux relocate. One pointer to each keeps them in the
 * debug information.
 */
#include "blk.h"
#include "fs.h"
#include "irq.h"
#include "net.h"

struct trace_entry {
	unsigned short type;
	unsigned char flags;
	unsigned char preempt_count;
	int pid;
};

#define TRACE_EVENT(name, ...)             \
	struct trace_event_raw_##name {    \
		struct trace_entry ent;    \
		__VA_ARGS__                \
		char __data[];             \
	};

TRACE_EVENT(sys_enter, long id; unsigned long args[6];)
TRACE_EVENT(sys_exit, long id; long ret;)
TRACE_EVENT(sched_switch, char prev_comm[16]; pid_t prev_pid; int prev_prio; long prev_state; char next_comm[16];
	    pid_t next_pid; int next_prio;)
TRACE_EVENT(sched_wakeup_template, char comm[16]; pid_t pid; int prio; int target_cpu;)
TRACE_EVENT(sched_migrate_task, char comm[16]; pid_t pid; int prio; int orig_cpu; int dest_cpu;)
TRACE_EVENT(sched_process_fork, char parent_comm[16]; pid_t parent_pid; char child_comm[16]; pid_t child_pid;)
TRACE_EVENT(sched_process_exec, u32 __data_loc_filename; pid_t pid; pid_t old_pid;)
TRACE_EVENT(sched_process_template, char comm[16]; pid_t pid; int prio;)
TRACE_EVENT(block_rq, dev_t dev; sector_t sector; unsigned int nr_sector; unsigned int bytes; char rwbs[8]; char comm[16];
	    u32 __data_loc_cmd;)
TRACE_EVENT(block_rq_completion, dev_t dev; sector_t sector; unsigned int nr_sector; int error; char rwbs[8];
	    u32 __data_loc_cmd;)
TRACE_EVENT(irq_handler_entry, int irq; u32 __data_loc_name;)
TRACE_EVENT(irq_handler_exit, int irq; int ret;)
TRACE_EVENT(softirq, unsigned int vec;)
TRACE_EVENT(x86_irq_vector, int vector;)
TRACE_EVENT(timer_class, void *timer;)
TRACE_EVENT(timer_start, void *timer; void *function; unsigned long expires; unsigned long now; unsigned int flags;)
TRACE_EVENT(timer_expire_entry, void *timer; unsigned long now; void *function; unsigned long baseclk;)
TRACE_EVENT(hrtimer_class, void *hrtimer;)
TRACE_EVENT(hrtimer_start, void *hrtimer; void *function; s64 expires; s64 softexpires; enum hrtimer_mode mode;)
TRACE_EVENT(hrtimer_expire_entry, void *hrtimer; s64 now; void *function;)

struct syscall_trace_enter {
	struct trace_entry ent;
	int nr;
	unsigned long args[];
};
struct syscall_trace_exit {
	struct trace_entry ent;
	int nr;
	long ret;
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

typedef struct pt_regs bpf_user_pt_regs_t;
struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

#define PROTO(...) (void *__data, __VA_ARGS__)
#define TRACEPOINT(name, proto, args, count) typedef void(*btf_trace_##name) PROTO proto;
#include "tracepoints.def"
#undef TRACEPOINT

union btf_kept_types {
	struct trace_event_raw_sys_enter *sys_enter;
	struct trace_event_raw_sys_exit *sys_exit;
	struct trace_event_raw_sched_switch *sched_switch;
	struct trace_event_raw_sched_wakeup_template *sched_wakeup;
	struct trace_event_raw_sched_migrate_task *sched_migrate_task;
	struct trace_event_raw_sched_process_fork *sched_process_fork;
	struct trace_event_raw_sched_process_exec *sched_process_exec;
	struct trace_event_raw_sched_process_template *sched_process;
	struct trace_event_raw_block_rq *block_rq;
	struct trace_event_raw_block_rq_completion *block_rq_completion;
	struct trace_event_raw_irq_handler_entry *irq_handler_entry;
	struct trace_event_raw_irq_handler_exit *irq_handler_exit;
	struct trace_event_raw_softirq *softirq;
	struct trace_event_raw_x86_irq_vector *x86_irq_vector;
	struct trace_event_raw_timer_class *timer_class;
	struct trace_event_raw_timer_start *timer_start;
	struct trace_event_raw_timer_expire_entry *timer_expire_entry;
	struct trace_event_raw_hrtimer_class *hrtimer_class;
	struct trace_event_raw_hrtimer_start *hrtimer_start;
	struct trace_event_raw_hrtimer_expire_entry *hrtimer_expire_entry;
	struct syscall_trace_enter *syscall_trace_enter;
	struct syscall_trace_exit *syscall_trace_exit;
	struct bpf_raw_tracepoint_args *bpf_raw_tracepoint_args;
	struct bpf_perf_event_data *bpf_perf_event_data;
#define TRACEPOINT(name, proto, args, count) btf_trace_##name trace_##name;
#include "tracepoints.def"
#undef TRACEPOINT
};
union btf_kept_types btf_kept_types __used;
