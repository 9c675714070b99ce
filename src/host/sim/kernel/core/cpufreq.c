/*
 * The clock of each CPU follows its load, as the schedutil governor has it: a quarter more than the load needs, by the
 * next step up. The processor is told through IA32_PERF_CTL. Virtual time goes on at one pace whatever it is told.
 */
#include "journal.h"
#include "sched.h"

#define MSR_IA32_PERF_CTL 0x199
#define SCHED_CAPACITY_SCALE 1024UL
#define KHZ_PER_RATIO 100000u
/* Load halves in about 22 of these. */
#define PERIOD_NS (1024UL * 1024UL)
#define PERIODS_MAX 256UL
#define RATE_LIMIT_NS 2000000UL

static const unsigned int freq_table[] = { 800000, 1200000, 1600000, 2000000, 2400000, 2800000, 3200000 };

struct cpufreq_policy {
	unsigned int cpu;
	unsigned int min;
	unsigned int max;
	unsigned int cur;
};

struct sugov_cpu {
	struct cpufreq_policy policy;
	u64 last_update;
	u64 last_freq_update_time;
};
static struct sugov_cpu sugov_cpus[NR_CPUS];

/* A CPU comes up at the lowest step. */
void cpufreq_online(int cpu)
{
	struct cpufreq_policy *policy = &sugov_cpus[cpu].policy;
	policy->cpu = (unsigned int)cpu;
	policy->min = policy->cur = freq_table[0];
	policy->max = freq_table[ARRAY_SIZE(freq_table) - 1];
	wrmsr(MSR_IA32_PERF_CTL, policy->cur / KHZ_PER_RATIO << 8);
}

/* The first step that is not below. */
unsigned int cpufreq_driver_resolve_freq(struct cpufreq_policy *policy, unsigned int target_freq)
{
	unsigned int i;
	for (i = 0; i < ARRAY_SIZE(freq_table); i++)
		if (freq_table[i] >= target_freq)
			return freq_table[i];
	return policy->max;
}

unsigned int get_next_freq(struct cpufreq_policy *policy, unsigned long util, unsigned long max)
{
	unsigned long freq = policy->max;
	freq = (freq + (freq >> 2)) * util / max;
	return cpufreq_driver_resolve_freq(policy, (unsigned int)freq);
}

void cpufreq_driver_fast_switch(struct cpufreq_policy *policy, unsigned int target_freq)
{
	wrmsr(MSR_IA32_PERF_CTL, target_freq / KHZ_PER_RATIO << 8);
	policy->cur = target_freq;
	journal(J_CPU_FREQUENCY, target_freq, policy->cpu, 0, 0);
	trace(cpu_frequency, target_freq, policy->cpu);
}

/* What was busy since the last look, mixed into what is remembered. */
void update_load_avg(struct rq *rq, struct sugov_cpu *sg_cpu)
{
	u64 elapsed = rq->clock - sg_cpu->last_update;
	u64 periods = min(elapsed / PERIOD_NS, PERIODS_MAX);
	u64 busy = min(rq->busy_ns, elapsed);
	u64 kept = SCHED_CAPACITY_SCALE << 10;
	u64 left;
	for (left = periods; left; left--)
		kept -= kept >> 5;
	kept >>= 10;
	rq->cfs.avg.util_avg =
		(rq->cfs.avg.util_avg * kept + busy * SCHED_CAPACITY_SCALE / elapsed * (SCHED_CAPACITY_SCALE - kept)) >> 10;
	rq->busy_ns = 0;
	sg_cpu->last_update = rq->clock;
}

/* From the scheduler, with this CPU's queue locked: the load may have changed. */
void cpufreq_update_util(struct rq *rq)
{
	struct sugov_cpu *sg_cpu = &sugov_cpus[rq->cpu];
	unsigned int next_freq;
	if (rq->cpu != smp_processor_id() || rq->clock < sg_cpu->last_update + PERIOD_NS)
		return;
	update_load_avg(rq, sg_cpu);
	if (rq->clock < sg_cpu->last_freq_update_time + RATE_LIMIT_NS)
		return;
	next_freq = get_next_freq(&sg_cpu->policy, rq->cfs.avg.util_avg, SCHED_CAPACITY_SCALE);
	if (next_freq == sg_cpu->policy.cur)
		return;
	sg_cpu->last_freq_update_time = rq->clock;
	cpufreq_driver_fast_switch(&sg_cpu->policy, next_freq);
}
