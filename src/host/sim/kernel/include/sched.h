/* Tasks, run queues and sleeping. Linux's field names, this kernel's own order. */
#pragma once
#include "cpu.h"
#include "cred.h"
#include "list.h"
#include "locks.h"
#include "signal.h"
#include "time.h"

#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_STOPPED 4
#define EXIT_DEAD 16
#define EXIT_ZOMBIE 32
#define TASK_DEAD 128
#define TASK_WAKEKILL 256
#define TASK_NEW 2048
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
/* What sched_switch reports for a task that was preempted while it could still run. */
#define TASK_REPORT_MAX 256

#define PF_IDLE 2
#define PF_EXITING 4
#define PF_MEMALLOC 0x800
#define PF_KSWAPD 0x20000
#define PF_KTHREAD 0x200000
#define TASK_COMM_LEN 16
#define DEFAULT_PRIO 120
#define NR_OPEN 32

#define CLONE_VM 0x100
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_THREAD 0x10000
#define CLONE_NEWNS 0x20000
#define CLONE_SETTLS 0x80000
#define CLONE_PARENT_SETTID 0x100000
#define CLONE_CHILD_CLEARTID 0x200000

struct mm_struct;
struct file;

struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
};

struct files_struct {
	spinlock_t file_lock;
	atomic_t count;
	/* Descriptors that are given out and have no file yet. */
	u32 next_fd;
	u32 close_on_exec;
	struct file *fd_array[NR_OPEN];
};

struct pid_namespace {
	int level;
	struct ns_common ns;
};
struct css_set;
struct mnt_namespace;
struct nsproxy {
	atomic_t count;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
};

struct sched_entity {
	u64 vruntime;
	u64 exec_start;
	struct list_head group_node;
	u64 sum_exec_runtime;
	u64 prev_sum_exec_runtime;
	unsigned int on_rq;
	/* The queue that the task is on or was last on. */
	struct cfs_rq *cfs_rq;
};

struct sched_statistics {
	u64 wait_start;
	u64 wait_count;
	u64 wait_sum;
	u64 iowait_count;
	u64 iowait_sum;
	u64 sleep_start;
	u64 block_start;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	atomic_t count;
	unsigned int level;
	struct upid numbers[1];
};

struct thread_struct {
	u64 sp;
	u64 fsbase;
};

struct task_struct {
	u64 start_time;
	char comm[TASK_COMM_LEN];
	struct task_struct *group_leader;
	pid_t tgid;
	unsigned int __state;
	pid_t pid;
	int exit_state;
	struct thread_struct thread;
	void *stack;
	struct sched_entity se;
	struct sched_statistics stats;
	unsigned int in_iowait;
	struct pid *thread_pid;
	const struct cred *cred;
	const struct cred *real_cred;
	int prio;
	int static_prio;
	int normal_prio;
	unsigned int flags;
	volatile int on_cpu;
	int on_rq;
	int cpu;
	int recent_used_cpu;
	volatile int need_resched;
	/* There is something for get_signal(). */
	int sigpending;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	/* What is blocked again once a call that waits with a mask of its own is over. */
	sigset_t saved_sigmask;
	bool restore_sigmask;
	struct sigpending pending;
	ktime_t restart_expires;
	int exit_code;
	int exit_signal;
	atomic_t usage;
	spinlock_t pi_lock;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct list_head children;
	struct list_head sibling;
	struct list_head tasks;
	struct wait_queue_head wait_chldexit;
	struct files_struct *files;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct list_head cg_list;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	u64 utime;
	u64 stime;
	int (*kthread_fn)(void *);
	void *kthread_data;
	/* Cleared, and its waiter woken, when the thread ends. */
	int *clear_child_tid;
	u64 start_boottime;
};

struct sched_avg {
	unsigned long util_avg;
};

struct cfs_rq {
	unsigned int nr_running;
	struct sched_avg avg;
	u64 min_vruntime;
	struct list_head tasks_timeline;
	struct task_struct *curr;
};

struct rq {
	spinlock_t __lock;
	unsigned int nr_running;
	u64 nr_switches;
	u64 clock;
	/* Time that tasks ran since the governor last looked. */
	u64 busy_ns;
	struct cfs_rq cfs;
	struct task_struct *curr;
	struct task_struct *idle;
	struct task_struct *prev_switched;
	struct mm_struct *prev_mm;
	int cpu;
};

extern struct rq runqueues[NR_CPUS];
extern struct task_struct init_task;
extern spinlock_t tasklist_lock;
extern struct task_struct *init_process;

/* core */
void sched_init_cpu(int cpu, struct task_struct *idle);
void schedule(void);
void preempt_schedule_irq(void);
void schedule_tail(struct task_struct *prev);
int try_to_wake_up(struct task_struct *p, unsigned int state);
int wake_up_process(struct task_struct *p);
void wake_up_new_task(struct task_struct *p);
void scheduler_tick(void);
void kick_process(struct task_struct *p);
void resched_curr(struct rq *rq);
void sched_fork(struct task_struct *p);
void __noreturn do_task_dead(void);
void __noreturn cpu_startup_entry(void);

/* fair */
void update_curr(struct cfs_rq *cfs);
void enqueue_task_fair(struct rq *rq, struct task_struct *p, bool initial);
void dequeue_task_fair(struct rq *rq, struct task_struct *p);
struct task_struct *pick_next_task_fair(struct rq *rq);
void put_prev_task_fair(struct rq *rq, struct task_struct *prev);
void check_preempt_wakeup(struct rq *rq, struct task_struct *p);
void task_tick_fair(struct rq *rq, struct task_struct *curr);
int select_task_rq_fair(struct task_struct *p, int prev_cpu);
struct task_struct *newidle_balance(struct rq *rq);
void update_stats_wait_end(struct rq *rq, struct task_struct *p);
void update_stats_dequeue(struct rq *rq, struct task_struct *p);
void io_schedule_prepare(void);
void io_schedule_finish(void);

/* cpufreq */
void cpufreq_online(int cpu);
void cpufreq_update_util(struct rq *rq);

/* futex */
void futex_init(void);
void mm_release(struct task_struct *tsk);

/* fork, exec, exit */
struct kernel_clone_args {
	u64 flags;
	u64 stack;
	int exit_signal;
	int *parent_tid;
	int *child_tid;
	int (*fn)(void *);
	void *fn_arg;
	const char *name;
	struct pt_regs *regs;
};
pid_t kernel_clone(struct kernel_clone_args *args);
struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *name);
void put_task_struct(struct task_struct *task);
void __noreturn do_exit(long code);
long kernel_wait4(pid_t pid, int *status, int options);
struct task_struct *find_task_by_pid(pid_t pid);
int kernel_execve(const char *path, const char *const *argv, const char *const *envp);
void start_thread(struct pt_regs *regs, u64 ip, u64 sp);

static __always_inline struct pt_regs *task_pt_regs(struct task_struct *task)
{
	return (struct pt_regs *)((u64)task->stack + THREAD_SIZE) - 1;
}
static __always_inline bool signal_pending(struct task_struct *task) { return READ_ONCE(task->sigpending) != 0; }
static __always_inline bool fatal_signal_pending(struct task_struct *task)
{
	return signal_pending(task) &&
	       (((task->pending.signal.sig[0] | task->signal->shared_pending.signal.sig[0]) & sigmask(SIGKILL)) ||
		(task->signal->flags & SIGNAL_GROUP_EXIT));
}
/* Whether a sleeper in this state is to wake up for what is pending. */
static __always_inline bool signal_pending_state(unsigned int state, struct task_struct *task)
{
	if (!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) || !signal_pending(task))
		return false;
	return (state & TASK_INTERRUPTIBLE) || fatal_signal_pending(task);
}
static __always_inline void set_current_state(unsigned int state)
{
	WRITE_ONCE(current->__state, state);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static __always_inline u64 pid_tgid(const struct task_struct *task)
{
	return (u64)(u32)task->tgid << 32 | (u32)task->pid;
}

/* sleeping */
struct wait_queue_entry;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key);
struct wait_queue_entry {
	unsigned int flags;
	void *private;
	wait_queue_func_t func;
	struct list_head entry;
};
/* Of these a wake-up wakes as many as it says; all others hear of every one. */
#define WQ_FLAG_EXCLUSIVE 1u
void init_waitqueue_head(struct wait_queue_head *wq);
void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *wait, unsigned int state);
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *wait);
void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wait);
void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wait);
int autoremove_wake_function(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key);
int default_wake_function(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key);
int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key);
#define wake_up(wq) __wake_up(wq, TASK_NORMAL, 1, NULL)
#define wake_up_all(wq) __wake_up(wq, TASK_NORMAL, 1 << 30, NULL)
/* With the events that have come, for those who wait for some of them only. */
#define wake_up_all_poll(wq, mask) __wake_up(wq, TASK_NORMAL, 1 << 30, (void *)(u64)(mask))

/* Sleeps until `condition`; the result is -ERESTARTSYS if a signal came first and `state` allows it. */
#define wait_event_state(wq, condition, state)                                   \
	({                                                                       \
		struct wait_queue_entry __wait = {                               \
			.flags = WQ_FLAG_EXCLUSIVE,                              \
			.private = current,                                      \
			.func = autoremove_wake_function,                        \
		};                                                               \
		long __ret = 0;                                                  \
		INIT_LIST_HEAD(&__wait.entry);                                   \
		for (;;) {                                                       \
			prepare_to_wait(wq, &__wait, state);                     \
			if (condition)                                           \
				break;                                           \
			if ((state) == TASK_INTERRUPTIBLE && signal_pending(current)) { \
				__ret = -ERESTARTSYS;                            \
				break;                                           \
			}                                                        \
			schedule();                                              \
		}                                                                \
		finish_wait(wq, &__wait);                                        \
		__ret;                                                           \
	})
#define wait_event(wq, condition) wait_event_state(wq, condition, TASK_UNINTERRUPTIBLE)
#define wait_event_interruptible(wq, condition) wait_event_state(wq, condition, TASK_INTERRUPTIBLE)
