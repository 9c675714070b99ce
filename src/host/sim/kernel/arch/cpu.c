/* Per-CPU setup: descriptor tables, task state segment, system call registers. */
#include "irq.h"
#include "mm.h"

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
} __packed;

struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};

struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

struct pcpu pcpu_area[NR_CPUS];
int nr_cpu_ids;
u8 boot_stacks[NR_CPUS][THREAD_SIZE] __aligned(16384);
static u8 double_fault_stacks[NR_CPUS][4096] __aligned(16);
static struct tss cpu_tss[NR_CPUS] __aligned(16);
static u64 gdt[NR_CPUS][10] __aligned(16);
static struct idt_gate idt[256] __aligned(16);

void asm_exc_divide_error(void);
void asm_exc_debug(void);
void asm_exc_int3(void);
void asm_exc_invalid_op(void);
void asm_exc_double_fault(void);
void asm_exc_general_protection(void);
void asm_exc_page_fault(void);
void asm_common_interrupt(void);
void asm_sysvec_apic_timer_interrupt(void);
void asm_sysvec_reschedule_ipi(void);
void asm_sysvec_sample(void);
void entry_SYSCALL_64(void);

void set_intr_gate(int vector, void (*handler)(void), int dpl, int ist)
{
	struct idt_gate *gate = &idt[vector];
	u64 address = (u64)handler;
	gate->offset_low = (u16)address;
	gate->offset_middle = (u16)(address >> 16);
	gate->offset_high = (u32)(address >> 32);
	gate->selector = KERNEL_CS;
	gate->ist = (u8)ist;
	gate->type = (u8)(0x8e | dpl << 5);
}

void idt_setup(void)
{
	set_intr_gate(0, asm_exc_divide_error, 0, 0);
	set_intr_gate(1, asm_exc_debug, 0, 0);
	set_intr_gate(3, asm_exc_int3, 3, 0);
	set_intr_gate(6, asm_exc_invalid_op, 0, 0);
	set_intr_gate(8, asm_exc_double_fault, 0, 1);
	set_intr_gate(13, asm_exc_general_protection, 0, 0);
	set_intr_gate(14, asm_exc_page_fault, 0, 0);
	set_intr_gate(BLOCK_VECTOR, asm_common_interrupt, 0, 0);
	set_intr_gate(TIMER_VECTOR, asm_sysvec_apic_timer_interrupt, 0, 0);
	set_intr_gate(SAMPLE_VECTOR, asm_sysvec_sample, 0, 0);
	set_intr_gate(RESCHEDULE_VECTOR, asm_sysvec_reschedule_ipi, 0, 0);
}

static void gdt_setup(int cpu)
{
	u64 *table = gdt[cpu];
	u64 tss = (u64)&cpu_tss[cpu];
	u64 limit = sizeof(struct tss) - 1;
	table[2] = 0x00af9a000000ffffUL;
	table[3] = 0x00cf92000000ffffUL;
	table[4] = 0x00cffa000000ffffUL;
	table[5] = 0x00cff2000000ffffUL;
	table[6] = 0x00affa000000ffffUL;
	table[8] = limit | (tss & 0xffffff) << 16 | 0x89UL << 40 | (tss >> 24 & 0xff) << 56;
	table[9] = tss >> 32;
}

void load_sp0(int cpu, u64 top)
{
	cpu_tss[cpu].rsp[0] = top;
	pcpu_area[cpu].top_of_stack = top;
}

void cpu_init(int cpu)
{
	struct table_pointer pointer;
	struct pcpu *area = &pcpu_area[cpu];
	area->self = area;
	area->cpu_number = cpu;
	area->preempt_count = 1;
	gdt_setup(cpu);
	pointer.limit = sizeof(gdt[cpu]) - 1;
	pointer.base = (u64)gdt[cpu];
	__asm__ volatile("lgdt %0" ::"m"(pointer));
	if (cpu == 0)
		idt_setup();
	pointer.limit = sizeof(idt) - 1;
	pointer.base = (u64)idt;
	__asm__ volatile("lidt %0" ::"m"(pointer));
	cpu_tss[cpu].ist[0] = (u64)double_fault_stacks[cpu] + sizeof(double_fault_stacks[cpu]);
	cpu_tss[cpu].iomap = sizeof(struct tss);
	__asm__ volatile("ltr %0" ::"r"((u16)TSS_SELECTOR));
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1);
	wrmsr(MSR_STAR, (u64)0x23 << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_SYSCALL_64);
	wrmsr(MSR_SFMASK, 0x47700);
	wrmsr(MSR_GS_BASE, (u64)area);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void smp_send_reschedule(int cpu)
{
	if (cpu < 0 || cpu >= nr_cpu_ids)
		return;
	hypercall(HC_IPI, (u64)cpu, RESCHEDULE_VECTOR, 0, 0, 0);
}
