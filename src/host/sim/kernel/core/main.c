/* From the first C instruction to the first user program. */
#include "blk.h"
#include "fs.h"
#include "irq.h"
#include "net.h"
#include "uapi.h"

#define BOOT_MAGIC 0x65706f63736bUL
#define SCRIPT_MAX 12288u

/* docs/simulator.md, "What the kernel expects at boot". */
struct boot_params {
	u64 magic;
	u64 memory_size;
	u64 free_start;
	u64 cpus;
	u64 seed;
	u64 disk_sectors;
	u64 tick_ns;
	u64 boot_realtime_ns;
	u32 script_size;
	char workload[24];
	u32 packet_loss;
	u32 packet_reorder;
	char script[];
};

extern u32 loopback_loss, loopback_reorder;
static const struct boot_params *boot_params;
static volatile int secondary_go;
static volatile int cpus_online;
u64 loader_pgd;
u64 boot_realtime_ns;
u64 boot_seed;

struct task_struct *init_idle(int cpu);
void fork_init(void);
void cgroup_init(void);
void cgroup_fs_init(void);
void mount_root(void);

/* The script the machine was started with becomes a file, like any other. */
void write_boot_script(void)
{
	struct file *file;
	loff_t pos = 0;
	u32 size = min(boot_params->script_size, SCRIPT_MAX);
	if (!size)
		return;
	file = filp_open("/etc/rc.script", O_CREAT | O_WRONLY, 0644);
	if (IS_ERR(file))
		panic("cannot create the boot script");
	kernel_write(file, boot_params->script, size, &pos);
	filp_close(file);
}

const char *workload_path(char *path, size_t size)
{
	size_t n = strscpy(path, "/etc/rc.", size);
	const char *name = boot_params->script_size ? "script" : boot_params->workload;
	strscpy(path + n, *name ? name : "shell", size - n);
	return path;
}

int kernel_init(void *unused)
{
	char path[48];
	const char *argv[3] = { "init", NULL, NULL };
	static const char *const envp[] = { "HOME=/", "TERM=linux", NULL };
	(void)unused;
	init_process = current;
	current->signal->flags |= SIGNAL_UNKILLABLE;
	current->flags &= ~(u32)PF_KTHREAD;
	blk_dev_init(boot_params->disk_sectors);
	mount_root();
	cgroup_fs_init();
	pipe_init();
	eventpoll_init();
	net_init();
	loopback_loss = boot_params->packet_loss;
	loopback_reorder = boot_params->packet_reorder;
	current->files = dup_fd(NULL);
	write_boot_script();
	kthread_run(flush_worker, NULL, "kworker/u8:0");
	argv[1] = workload_path(path, sizeof(path));
	if (kernel_execve("/sbin/init", argv, envp) < 0)
		panic("no init found");
	return 0;
}

void start_kernel(const struct boot_params *params)
{
	struct kernel_clone_args args = { .fn = kernel_init, .name = "init", .flags = CLONE_FILES };
	boot_params = params;
	if (params->magic != BOOT_MAGIC || params->cpus < 1 || params->cpus > NR_CPUS)
		panic("bad boot parameters");
	nr_cpu_ids = (int)params->cpus;
	tick_ns = params->tick_ns ? params->tick_ns : 1000000;
	boot_realtime_ns = params->boot_realtime_ns;
	boot_seed = params->seed;
	loader_pgd = read_cr3();
	page_alloc_init(params->memory_size, params->free_start, (u64)_end - KERNEL_BASE);
	kmem_cache_init();
	fork_init();
	cgroup_init();
	dcache_init();
	page_wait_init();
	buffer_init();
	futex_init();
	init_idle(0);
	cpufreq_online(0);
	hrtimers_init_cpu(0);
	init_timers_cpu(0);
	WRITE_ONCE(secondary_go, 1);
	while (READ_ONCE(cpus_online) < nr_cpu_ids - 1)
		cpu_relax();
	local_irq_enable();
	tick_setup_sched_timer();
	kernel_clone(&args);
	cpu_startup_entry();
}

void start_secondary(int cpu)
{
	init_idle(cpu);
	cpufreq_online(cpu);
	hrtimers_init_cpu(cpu);
	init_timers_cpu(cpu);
	__atomic_add_fetch(&cpus_online, 1, __ATOMIC_SEQ_CST);
	local_irq_enable();
	tick_setup_sched_timer();
	cpu_startup_entry();
}

void x86_64_start_kernel(int cpu, const struct boot_params *params)
{
	cpu_init(cpu);
	if (cpu == 0)
		start_kernel(params);
	while (!READ_ONCE(secondary_go))
		cpu_relax();
	start_secondary(cpu);
}
