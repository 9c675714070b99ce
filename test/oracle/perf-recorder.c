// SPDX-License-Identifier: MIT
//
// Records the goldens of test/testdata/perf: what the running kernel writes into perf rings and answers to
// perf_event_open(2). Every event is a software event on this very process and is closed again; nothing
// else on the machine is observed, and no program is attached to anything: the one program here is run by
// BPF_PROG_TEST_RUN and writes to a ring that this process owns.
//
// To be run by hand in a virtual machine of one's own. It calls perf_event_open(2), which no test lane does: those ask
// the machine's kernel for loads, test runs and map operations only.
//
//   cc -O1 -o perf-recorder perf-recorder.c && ./perf-recorder > test/testdata/perf/linux.txt
//
// Lines: `release R`; `page FIELD OFFSET VALUE`; `open NAME HEX PID CPU FLAGS RESULT` (HEX the attribute, RESULT 0
// or -errno); `stream NAME HEX` (the attribute of the records that follow); `record HEX`;
// `output SIZE RESULT` (bpf_perf_event_output of SIZE bytes). Attributes are printed without their trailing zeros.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, ATTR_MAX = 256 };

static long perf_open(void *attr, int pid, int cpu, unsigned long flags)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, flags);

	return fd < 0 ? -errno : fd;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void hex(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

// Without the zeros at the end: readers of the golden file put them back.
static void hex_trimmed(const void *data, size_t size)
{
	while (size > 1 && ((const uint8_t *)data)[size - 1] == 0)
		size--;
	hex(data, size);
}

static struct perf_event_mmap_page *map_ring(int fd, int pages)
{
	void *ring = mmap(NULL, (1 + pages) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (ring == MAP_FAILED)
		die("mmap");
	return ring;
}

static void dump_records(struct perf_event_mmap_page *page)
{
	const uint8_t *data = (const uint8_t *)page + page->data_offset;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), at = page->data_tail;
	uint8_t copy[65536];

	while (at < head) {
		for (size_t i = 0; i < 8; i++)
			copy[i] = data[(at + i) & (page->data_size - 1)];
		uint16_t size = ((struct perf_event_header *)copy)->size;

		for (size_t i = 0; i < size; i++)
			copy[i] = data[(at + i) & (page->data_size - 1)];
		printf("record ");
		hex(copy, size);
		printf("\n");
		at += size;
	}
	__atomic_store_n(&page->data_tail, at, __ATOMIC_RELEASE);
}

static void stream(const char *name, struct perf_event_attr *attr)
{
	printf("stream %s ", name);
	hex_trimmed(attr, attr->size);
	printf("\n");
}

static struct perf_event_attr software(int config)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = config };

	return attr;
}

static void record_page(void)
{
	struct perf_event_attr attr = software(PERF_COUNT_SW_BPF_OUTPUT);
	int fd = perf_open(&attr, 0, -1, 0);
	struct perf_event_mmap_page *page = map_ring(fd, 2);

#define FIELD(name) printf("page " #name " %zu %llu\n", offsetof(struct perf_event_mmap_page, name), (unsigned long long)page->name)
	FIELD(version);
	FIELD(compat_version);
	FIELD(size);
	FIELD(data_head);
	FIELD(data_tail);
	FIELD(data_offset);
	FIELD(data_size);
	close(fd);
}

static void try_open(const char *name, const void *attr, size_t size, int pid, int cpu, unsigned long flags)
{
	uint8_t copy[PAGE + 64] = { 0 };
	long fd;

	memcpy(copy, attr, size);
	fd = perf_open(copy, pid, cpu, flags);
	if (fd >= 0)
		close(fd);
	printf("open %s ", name);
	hex_trimmed(attr, size);
	printf(" %d %d %lu %ld\n", pid, cpu, flags, fd < 0 ? fd : 0);
}

static void record_opens(void)
{
	static const int sizes[] = { 0, 1, 63, 64, 65, 72, 80, 96, 104, 112, 120, 128, 136, 137, 200, 4096, 4097 };
	struct perf_event_attr base = software(PERF_COUNT_SW_DUMMY), attr;
	uint8_t raw[PAGE + 8];

#define TRY(name, change) do { attr = base; change; try_open(name, &attr, sizeof(attr), 0, -1, 0); } while (0)
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char name[32];

		memset(raw, 0, sizeof(raw));
		memcpy(raw, &base, 64);
		memcpy(raw + 4, &sizes[i], 4);
		snprintf(name, sizeof(name), "size-%d", sizes[i]);
		try_open(name, raw, 64, 0, -1, 0);
	}
	memset(raw, 0, sizeof(raw));
	memcpy(raw, &base, 64);
	raw[4] = 200, raw[199] = 1;
	try_open("tail-not-zero", raw, 200, 0, -1, 0);
	for (int bit = 0; bit < 64; bit++) {
		char name[32];
		uint64_t word = 1ull << bit;

		snprintf(name, sizeof(name), "flag-bit-%d", bit);
		TRY(name, memcpy((char *)&attr + 40, &word, 8));
		snprintf(name, sizeof(name), "sample-type-bit-%d", bit);
		TRY(name, attr.sample_type = word);
		snprintf(name, sizeof(name), "read-format-bit-%d", bit);
		TRY(name, attr.read_format = word);
	}
	for (int config = 0; config <= 13; config++) {
		char name[32];

		snprintf(name, sizeof(name), "software-%d", config);
		TRY(name, attr.config = config);
	}
	TRY("type-unknown", attr.type = 77);
	TRY("remove-on-exec", attr.remove_on_exec = 1);
	TRY("remove-on-exec-and-enable-on-exec", (attr.remove_on_exec = 1, attr.enable_on_exec = 1));
	TRY("sigtrap-with-remove-on-exec", (attr.sigtrap = 1, attr.remove_on_exec = 1));
	TRY("inherit-thread", (attr.inherit = 1, attr.inherit_thread = 1));
	TRY("inherit-and-sample-read", (attr.inherit = 1, attr.sample_type = PERF_SAMPLE_READ));
	TRY("inherit-and-sample-read-and-tid", (attr.inherit = 1, attr.sample_type = PERF_SAMPLE_READ | PERF_SAMPLE_TID));
	TRY("weight-and-weight-struct", attr.sample_type = PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT);
	TRY("reserved-2", attr.__reserved_2 = 1);
	TRY("period-bit-63", attr.sample_period = 1ull << 63);
	TRY("period-bit-62", attr.sample_period = 1ull << 62);
	TRY("freq-of-maximum", (attr.freq = 1, attr.sample_freq = 1000));
	TRY("freq-too-high", (attr.freq = 1, attr.sample_freq = 10000000));
	TRY("max-stack-too-high", (attr.sample_type = PERF_SAMPLE_CALLCHAIN, attr.sample_max_stack = 5000));
	TRY("max-stack-127", (attr.sample_type = PERF_SAMPLE_CALLCHAIN, attr.sample_max_stack = 127));
	TRY("precise", attr.precise_ip = 3);
	TRY("clockid-monotonic", (attr.use_clockid = 1, attr.clockid = CLOCK_MONOTONIC));
	TRY("clockid-unknown", (attr.use_clockid = 1, attr.clockid = 99));
	TRY("write-backward", attr.write_backward = 1);
	try_open("no-pid-no-cpu", &base, sizeof(base), -1, -1, 0);
	try_open("cpu-0", &base, sizeof(base), -1, 0, 0);
	try_open("cpu-absent", &base, sizeof(base), -1, 4000, 0);
	try_open("cpu-minus-2", &base, sizeof(base), 0, -2, 0);
	try_open("pid-and-cpu", &base, sizeof(base), 0, 0, 0);
	try_open("pid-and-cpu-absent", &base, sizeof(base), 0, 4000, 0);
	try_open("pid-absent", &base, sizeof(base), 4194303, -1, 0);
	try_open("pid-minus-2", &base, sizeof(base), -2, -1, 0);
	try_open("open-flag-unknown", &base, sizeof(base), 0, -1, 1 << 10);
	try_open("open-flag-cloexec", &base, sizeof(base), 0, -1, PERF_FLAG_FD_CLOEXEC);
	try_open("open-flag-cgroup-without-cpu", &base, sizeof(base), 0, -1, PERF_FLAG_PID_CGROUP);
	attr = base, attr.sample_type = 1ull << 40;
	try_open("unknown-flag-before-attr", &attr, sizeof(attr), -1, -1, 1 << 10);
	try_open("attr-before-cpu", &attr, sizeof(attr), -1, 4000, 0);
	attr = base, attr.config = 99;
	try_open("cpu-before-config", &attr, sizeof(attr), -1, 4000, 0);
	try_open("pid-before-config", &attr, sizeof(attr), 4194303, -1, 0);
	try_open("pid-before-cpu", &base, sizeof(base), 4194303, 4000, 0);
}

static void record_tasks(void)
{
	struct perf_event_attr attr = software(PERF_COUNT_SW_DUMMY);

	attr.comm = attr.comm_exec = attr.task = attr.mmap = attr.mmap2 = attr.sample_id_all = attr.inherit = 1;
	attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
			   PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;
	int fd = perf_open(&attr, 0, 0, 0);
	struct perf_event_mmap_page *page = map_ring(fd, 2);
	int file = memfd_create("text", 0);

	stream("tasks", &attr);
	prctl(PR_SET_NAME, "renamed");
	prctl(PR_SET_NAME, "fifteen-bytes-x");
	if (ftruncate(file, 2 * PAGE) || mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, PAGE) == MAP_FAILED)
		die("mapping text");
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	dump_records(page);
	close(fd);
}

static void spin(long milliseconds)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < milliseconds);
}

static void record_clock(const char *name, uint64_t sample_type, uint64_t read_format, int max_stack)
{
	struct perf_event_attr attr = software(PERF_COUNT_SW_CPU_CLOCK);

	attr.sample_period = 2000000;
	attr.sample_type = sample_type;
	attr.read_format = read_format;
	attr.sample_max_stack = max_stack;
	attr.sample_id_all = 1;
	int fd = perf_open(&attr, 0, -1, 0);
	struct perf_event_mmap_page *page = map_ring(fd, 2);

	stream(name, &attr);
	spin(9);
	dump_records(page);
	close(fd);
}

static long bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

// r0 = bpf_perf_event_output(ctx, map, BPF_F_CURRENT_CPU, the map value of `data`, size)
static int load_output(int events, int data, int size)
{
	struct bpf_insn insns[] = {
		{ 0x18, 2, BPF_PSEUDO_MAP_FD, 0, events }, { 0 },
		{ 0x18, 3, 0, 0, -1 }, { 0 },
		{ 0x18, 4, BPF_PSEUDO_MAP_VALUE, 0, data }, { 0 },
		{ 0xb7, 5, 0, 0, size },
		{ 0x85, 0, 0, 0, BPF_FUNC_perf_event_output },
		{ 0x95 },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				.insn_cnt = sizeof(insns) / sizeof(insns[0]),
				.insns = (uint64_t)insns, .license = (uint64_t)"GPL" };
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		errno = -fd, die("BPF_PROG_LOAD");
	return fd;
}

static int run(int program)
{
	uint64_t args[12] = { 0 };
	union bpf_attr attr = { .test = { .prog_fd = program, .ctx_in = (uint64_t)args, .ctx_size_in = sizeof(args) } };
	long ret = bpf(BPF_PROG_TEST_RUN, &attr);

	if (ret < 0)
		errno = -ret, die("BPF_PROG_TEST_RUN");
	return (int)attr.test.retval;
}

static int create_map(int type, int value_size, int flags)
{
	union bpf_attr attr = { .map_type = type, .key_size = 4, .value_size = value_size, .max_entries = 1, .map_flags = flags };
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		errno = -fd, die("BPF_MAP_CREATE");
	return fd;
}

static void update(int map, const void *value)
{
	int key = 0;
	union bpf_attr attr = { .map_fd = map, .key = (uint64_t)&key, .value = (uint64_t)value };

	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		die("BPF_MAP_UPDATE_ELEM");
}

static void record_output(const char *name, uint64_t sample_type, int first, int last, int step, int pages, int repeat)
{
	struct perf_event_attr attr = software(PERF_COUNT_SW_BPF_OUTPUT);
	int events = create_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 0), data = create_map(BPF_MAP_TYPE_ARRAY, 4096, 0);
	uint8_t value[4096];

	for (int i = 0; i < 4096; i++)
		value[i] = i * 7 + 1;
	update(data, value);
	attr.sample_type = sample_type;
	attr.sample_id_all = sample_type != PERF_SAMPLE_RAW;
	int fd = perf_open(&attr, 0, 0, 0);
	struct perf_event_mmap_page *page = map_ring(fd, pages);

	update(events, &fd);
	stream(name, &attr);
	for (int size = first; size <= last; size += step) {
		int program = load_output(events, data, size);

		for (int i = 0; i < repeat; i++)
			printf("output %d %d\n", size, run(program));
		close(program);
	}
	dump_records(page);
	if (repeat > 1) {
		int program = load_output(events, data, first);

		printf("output %d %d\n", first, run(program));
		dump_records(page);
		close(program);
	}
	close(fd);
	close(events);
	close(data);
}

int main(void)
{
	cpu_set_t cpus;
	struct utsname name;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
	uname(&name);
	name.release[strspn(name.release, "0123456789.")] = 0;
	printf("release %s\n", name.release);
	record_page();
	record_opens();
	record_output("output-sizes", PERF_SAMPLE_RAW, 0, 17, 1, 1, 1);
	record_output("output-fields", PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
		      PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
		      PERF_SAMPLE_RAW, 5, 5, 1, 1, 1);
	record_output("output-overflow", PERF_SAMPLE_RAW | PERF_SAMPLE_CPU, 200, 200, 1, 1, 24);
	record_output("output-exact", PERF_SAMPLE_RAW, 500, 500, 1, 1, 9);
	record_tasks();
	record_clock("clock-all", PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
		     PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
		     PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW,
		     PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_ID | PERF_FORMAT_LOST, 0);
	record_clock("clock-short-stack", PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN, 0, 2);
	record_clock("clock-bare", PERF_SAMPLE_IP, 0, 0);
	return 0;
}
