/* The work of a round: functions worth probing, each counting its calls. */
#include "kernel.h"

extern u64 shared_total;

#define FIB_DEPTH 6
#define WORDS 16

static u64 words[CPUS][WORDS];
static u64 mix_buffers[CPUS][8];
static u64 jump_buffers[CPUS][32];
static struct device devices[CPUS] = {
	{ .name = "disk0", .data = "the contents of the first disk" },
	{ .name = "disk1", .data = "the contents of the other disk" },
};
volatile u64 work_result[CPUS];

/* Twice recursive: 25 calls for n = 6. */
noinline u64 fib(u64 n)
{
	counted(fib);
	if (n < 2)
		return n;
	u64 first = fib(n - 1);
	keep_call(first);
	u64 second = fib(n - 2);
	keep_call(second);
	return first + second;
}

/* One loop whose body is worth a probe. */
noinline u64 sum_words(const u64 *from, u64 count)
{
	u64 sum = 0;
	counted(sum_words);
	for (u64 i = 0; i < count; i++) {
		counted(sum_words_loops);
		sum += from[i];
	}
	return sum;
}

noinline u64 hash_name(const char *name)
{
	u64 hash = 5381;
	counted(hash_name);
	while (*name)
		hash = hash * 33 + (u8)*name++;
	return hash;
}

/* Many arguments, a structure and a string among them; returns what it read. */
noinline s64 device_read(struct device *device, const char *reason, u64 offset, u32 count, u8 *to)
{
	counted(device_read);
	if (offset >= sizeof device->data)
		return -22;
	for (u32 i = 0; i < count; i++)
		to[i] = device->data[(offset + i) % sizeof device->data];
	device->position = offset + count + (reason[0] == 'x');
	device->reads++;
	return count;
}

noinline u64 tail_target(u64 value)
{
	counted(tail_target);
	return value ^ 0x5a;
}

/* Leaves by a jump to tail_target, which returns to the caller. */
noinline u64 tail_enter(u64 value)
{
	counted(tail_enter);
	return tail_target(value + 1);
}

/* Throws from `depth` calls down; returns only from too deep. */
noinline u64 throw_deep(u64 *jump_buffer, u64 depth)
{
	counted(throw_deep);
	if (depth > 8)
		return 0;
	if (depth == 0)
		throw_to(jump_buffer, 7);
	u64 deeper = throw_deep(jump_buffer, depth - 1);
	keep_call(deeper);
	return deeper + 1;
}

static void check_mix(u32 cpu, u64 a, u64 b)
{
	u64 *buffer = mix_buffers[cpu];
	u64 expected[8];
	counted(insn_mix);
	u64 wanted = insn_mix_expected(expected, a, b);
	u64 result = insn_mix(buffer, a, b);
	int wrong = result != wanted;
	for (int i = 0; i < 8; i++)
		wrong |= buffer[i] != expected[i];
	if (wrong)
		counted(insn_mix_wrong);
}

static void check_throw(u32 cpu)
{
	if (catch_here(jump_buffers[cpu]) == 0)
		work_result[cpu] += throw_deep(jump_buffers[cpu], 3);
	counted(caught);
}

noinline void do_round(struct task *task, u64 round)
{
	u32 cpu = task->cpu;
	struct device *device = &devices[cpu];
	u8 bytes[16];
	counted(do_round);
	for (u64 i = 0; i < WORDS; i++)
		words[cpu][i] = round + i;
	u64 result = fib(FIB_DEPTH) + sum_words(words[cpu], WORDS) + hash_name(device->name);
	result += device_read(device, "round", round % 96, 16, bytes);
	result += tail_enter(round);
	check_mix(cpu, 0x0123456789abcdef * (round + 1), 0xfedcba9876543210 + round);
	check_throw(cpu);
	counted(atomic_increment);
	atomic_increment(&shared_total);
	if (round % 4 == 0)
		own_break();
	work_result[cpu] += result;
}
