/* The processor as the kernel sees it: registers of a trap, per-CPU data, interrupts, locks, devices. */
#pragma once
#include "types.h"

#define NR_CPUS 8
#define THREAD_SIZE 16384

#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_DS 0x2b
#define USER_CS 0x33
#define TSS_SELECTOR 0x40

#define X86_EFLAGS_TF 0x100
#define X86_EFLAGS_IF 0x200

#define TIMER_VECTOR 0xec
#define SAMPLE_VECTOR 0xef
#define RESCHEDULE_VECTOR 0xfd
#define BLOCK_VECTOR 0x30

struct pt_regs {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bp;
	unsigned long bx;
	unsigned long r11;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

static __always_inline bool user_mode(const struct pt_regs *regs) { return (regs->cs & 3) == 3; }

struct task_struct;

/* One per CPU, found through GS. entry.S knows the first five offsets. */
struct pcpu {
	struct pcpu *self;
	struct task_struct *current_task;
	u64 user_sp;
	u64 top_of_stack;
	int cpu_number;
	int preempt_count;
	u32 softirq_pending;
	int in_softirq;
};

extern struct pcpu pcpu_area[NR_CPUS];
extern int nr_cpu_ids;

static __always_inline struct task_struct *get_current(void)
{
	struct task_struct *task;
	__asm__ volatile("movq %%gs:8, %0" : "=r"(task));
	return task;
}
#define current get_current()

static __always_inline int smp_processor_id(void)
{
	int cpu;
	__asm__ volatile("movl %%gs:32, %0" : "=r"(cpu));
	return cpu;
}

static __always_inline struct pcpu *this_cpu(void) { return &pcpu_area[smp_processor_id()]; }

static __always_inline int preempt_count(void)
{
	int count;
	__asm__ volatile("movl %%gs:36, %0" : "=r"(count));
	return count;
}

static __always_inline void preempt_disable(void) { __asm__ volatile("incl %%gs:36" ::: "memory", "cc"); }
static __always_inline void preempt_enable_no_resched(void) { __asm__ volatile("decl %%gs:36" ::: "memory", "cc"); }
void preempt_enable(void);

static __always_inline void local_irq_disable(void) { __asm__ volatile("cli" ::: "memory"); }
static __always_inline void local_irq_enable(void) { __asm__ volatile("sti" ::: "memory"); }
static __always_inline u64 local_save_flags(void)
{
	u64 flags;
	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags;
}
static __always_inline u64 local_irq_save(void)
{
	u64 flags = local_save_flags();
	local_irq_disable();
	return flags;
}
static __always_inline void local_irq_restore(u64 flags)
{
	if (flags & X86_EFLAGS_IF)
		local_irq_enable();
}
static __always_inline bool irqs_disabled(void) { return !(local_save_flags() & X86_EFLAGS_IF); }

static __always_inline void cpu_relax(void) { __asm__ volatile("pause" ::: "memory"); }
static __always_inline void safe_halt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }

static __always_inline u64 rdtsc(void)
{
	u32 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static __always_inline u64 read_cr2(void)
{
	u64 value;
	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}
static __always_inline u64 read_cr3(void)
{
	u64 value;
	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}
static __always_inline void write_cr3(u64 value) { __asm__ volatile("movq %0, %%cr3" ::"r"(value) : "memory"); }
static __always_inline void invlpg(u64 address) { __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory"); }
static __always_inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static __always_inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static __always_inline int xchg(volatile int *ptr, int value)
{
	__asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*ptr)::"memory");
	return value;
}
#define atomic_inc(v) __atomic_fetch_add(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(v) (__atomic_fetch_sub(&(v)->counter, 1, __ATOMIC_SEQ_CST) == 1)
#define atomic_read(v) ((v)->counter)
#define atomic_set(v, n) ((v)->counter = (n))
#define atomic_add_return(n, v) (__atomic_fetch_add(&(v)->counter, (n), __ATOMIC_SEQ_CST) + (n))

typedef struct { volatile int locked; } raw_spinlock_t;
typedef raw_spinlock_t spinlock_t;

void _raw_spin_lock(spinlock_t *lock);
void _raw_spin_unlock(spinlock_t *lock);
u64 _raw_spin_lock_irqsave(spinlock_t *lock);
void _raw_spin_unlock_irqrestore(spinlock_t *lock, u64 flags);

/* The devices, behind vmcall. */
enum hypercall {
	HC_JOURNAL = 1,
	HC_TRACEPOINT = 2,
	HC_TRAP = 3,
	HC_SAMPLE = 4,
	HC_TIMER = 5,
	HC_BLOCK = 6,
	HC_BLOCK_DONE = 7,
	HC_CONSOLE = 8,
	HC_OOPS = 9,
	HC_IPI = 10,
	HC_RANDOM = 11,
	HC_IDLE_ALL = 12,
	HC_TASK_DEAD = 13,
};

static __always_inline u64 hypercall(enum hypercall number, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	u64 result = number;
	__asm__ volatile("vmcall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "memory");
	return result;
}
