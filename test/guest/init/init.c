/*
 * The first and only program of kscope's test guests: does work that it counts, driven by lines on the console.
 *
 *   open N [CPUS] [EVERY]   tasks, one per CPU, open and close /counted N times each, reading 8 bytes; openat's dirfd
 *                           carries task << 24 | sequence; every EVERYth turn executes a breakpoint of its own
 *   names N                 opens /names/0 ... /names/N-1, none of which is there
 *   hot N [CPUS]            getppid() N times in each task
 *   think N [CPUS]          the same, with some work of its own before each
 *   break N [CPUS]          N user-mode breakpoints in each task
 *   fork N | exec N         N children that exit at once, or run this program anew
 *   kprobe TEXT             appends a line to kprobe_events;   enable 0|1   turns all of its events
 *   profile                 prints kprobe_profile as counts
 *   write PATH TEXT         writes a file;   flip PATH N   writes 1 and 0 to it in turn
 *   cat PATH                prints a file between KSCOPE-FILE and KSCOPE-END
 *   ids                     a thread of a child of its own ids and name opens /counted; prints what it is
 *   sum PATH                prints size and CRC-32 of a file
 *   dump PATH DEVICE        sends a file to a serial port: `KSCOPE-DUMP size`, a newline, the bytes
 *   quit                    powers off
 *
 * Counts are printed as `KSCOPE-COUNTS name value`; each command ends with `KSCOPE-END`, or with `KSCOPE-ERROR errno`.
 */
#include "text.h"

enum { MAX_TASKS = 8, OPENS = 0, READS, CALLS, BREAKS, TRAPS, FAILED, COUNTERS };
static const char *const counter_names[COUNTERS] = { "opens", "reads", "calls", "breaks", "sigtraps", "failed" };

/* One row per task, on lines of their own, in memory that all tasks share. */
static struct { volatile word values[16]; } *counters;
static int task;
static char scratch[65536];

static void bump(int counter) { counters[task].values[counter]++; }

static word open_file(const char *path, int flags) { return sys(NR_openat, AT_FDCWD, path, flags, 0); }

static word write_file(const char *path, const char *text, int flags)
{
	word fd = open_file(path, O_WRONLY | flags);
	if (fd < 0) return fd;
	word n = sys(NR_write, fd, text, length_of(text), 0);
	sys(NR_close, fd, 0, 0, 0);
	return n < 0 ? n : 0;
}

static void on_trap(int signal, void *info, void *context)
{
	(void)signal;
	(void)info;
	bump(TRAPS);
	skip_breakpoint(context);
}

static void catch_traps(void)
{
	struct { void *handler; unsigned long flags; void *restore; unsigned long mask[2]; } action;
	memset(&action, 0, sizeof action);
	action.handler = (void *)on_trap;
#if defined(__x86_64__) || defined(__i386__)
	action.flags = 4 /* SA_SIGINFO */ | SA_RESTORER;
	action.restore = restorer;
#else
	/* These have no sa_restorer: the mask follows the flags. */
	action.flags = 4;
#endif
	sys6(NR_rt_sigaction, SIGTRAP, (word)&action, 0, 8, 0, 0);
}

static void work_open(word turns, word every)
{
	/* On the stack: a page of its own that may be written. */
	char bytes[8];
	volatile char path[] = "/counted";
	for (word i = 0; i < turns; i++) {
		word fd = sys(NR_openat, (word)task << 24 | i, path, O_RDONLY, 0);
		if (fd < 0) bump(FAILED);
		else {
			bump(OPENS);
			if (sys(NR_read, fd, bytes, sizeof bytes, 0) >= 0) bump(READS);
			sys(NR_close, fd, 0, 0, 0);
		}
		if (every > 0 && i % every == 0) {
			bump(BREAKS);
			BREAKPOINT();
		}
	}
}

static void work_hot(word turns, word every)
{
	(void)every;
	for (word i = 0; i < turns; i++) {
		sys(NR_getppid, 0, 0, 0, 0);
		bump(CALLS);
	}
}

static void work_think(word turns, word every)
{
	for (word i = 0; i < turns; i++) {
		for (volatile int n = 0; n < 50000; n++)
			continue;
		work_hot(1, every);
	}
}

static void work_break(word turns, word every)
{
	(void)every;
	for (word i = 0; i < turns; i++) {
		bump(BREAKS);
		BREAKPOINT();
	}
}

static word fork_task(void) { return sys(NR_clone, SIGCHLD, 0, 0, 0); }

static void wait_for(word pid)
{
	int status = 0;
	sys(NR_wait4, pid, &status, 0, 0);
	if (status != 0) bump(FAILED);
}

static word nanoseconds(void)
{
	long time[4] = { 0 };
	sys(NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, time, 0, 0);
	return time[0] * 1000 + time[1] / 1000000;
}

/* Runs `work` in a task pinned to each of the first CPUs, and prints what all of them counted. */
static void in_tasks(void (*work)(word, word), const char *arguments)
{
	word turns = number(&arguments, 1), cpus = number(&arguments, 1), every = number(&arguments, 0);
	word pids[MAX_TASKS], started = nanoseconds();
	if (cpus > MAX_TASKS) cpus = MAX_TASKS;
	memset((void *)counters, 0, sizeof *counters * MAX_TASKS);
	for (int i = 0; i < cpus; i++) {
		pids[i] = fork_task();
		if (pids[i] != 0) continue;
		unsigned long mask[16] = { 1ul << i };
		task = i;
		sys(NR_sched_setaffinity, 0, sizeof mask, mask, 0);
		work(turns, every);
		sys(NR_exit, 0, 0, 0, 0);
	}
	for (int i = 0; i < cpus; i++) wait_for(pids[i]);
	for (int which = 0; which < COUNTERS; which++) {
		word sum = 0;
		for (int i = 0; i < MAX_TASKS; i++) sum += counters[i].values[which];
		count(counter_names[which], sum);
	}
	count("milliseconds", nanoseconds() - started);
}

static void open_names(const char *arguments)
{
	word turns = number(&arguments, 1), missing = 0;
	for (word i = 0; i < turns; i++) {
		char path[32] = "/names/", digits[16];
		int n = 0, at = 7;
		word rest = i;
		do digits[n++] = (char)('0' + rest % 10); while (rest /= 10);
		while (n > 0) path[at++] = digits[--n];
		path[at] = 0;
		if (open_file(path, O_RDONLY) == -2) missing++;
	}
	count("missing", missing);
}

static void make_children(const char *arguments, int exec)
{
	static char *const argv[] = { "/init", "child", 0 };
	word turns = number(&arguments, 1), made = 0;
	memset((void *)counters, 0, sizeof *counters * MAX_TASKS);
	for (word i = 0; i < turns; i++) {
		word pid = fork_task();
		if (pid == 0) {
			if (exec) sys(NR_execve, "/init", argv, 0, 0);
			sys(NR_exit, exec ? 1 : 0, 0, 0, 0);
		}
		if (pid < 0) continue;
		made++;
		wait_for(pid);
	}
	count("children", made);
	count("failed", counters[task].values[FAILED]);
}

/* `  p_name   hits   misses` lines become two counts each. */
static void print_profile(void)
{
	word fd = open_file("/sys/kernel/tracing/kprobe_profile", O_RDONLY);
	word size = fd < 0 ? 0 : sys(NR_read, fd, scratch, sizeof scratch - 1, 0);
	if (fd >= 0) sys(NR_close, fd, 0, 0, 0);
	scratch[size > 0 ? size : 0] = 0;
	for (char *at = scratch; *at;) {
		char *end = at;
		while (*end && *end != '\n') end++;
		if (*end) *end++ = 0;
		char *name = next_word(&at);
		const char *numbers = at;
		word hits = number(&numbers, -1), misses = number(&numbers, -1);
		count(name, hits);
		put("KSCOPE-COUNTS ");
		put(name);
		put(".missed ");
		put_number(misses);
		end_line();
		at = end;
	}
}

static word flip(char *arguments)
{
	char *path = next_word(&arguments);
	const char *rest = arguments;
	word turns = number(&rest, 2), done = 0;
	for (word i = 0; i < turns; i++) {
		word result = write_file(path, i % 2 == 0 ? "1" : "0", 0);
		if (result < 0) return result;
		done++;
	}
	count("flips", done);
	return 0;
}

static word copy_file(const char *path, int to)
{
	word fd = open_file(path, O_RDONLY), n;
	if (fd < 0) return fd;
	while ((n = sys(NR_read, fd, scratch, sizeof scratch, 0)) > 0) write_all(to, scratch, (unsigned long)n);
	sys(NR_close, fd, 0, 0, 0);
	return n;
}

/* The size is known when the file was read once: files of /proc do not tell it. */
static word size_of(const char *path)
{
	word fd = open_file(path, O_RDONLY), n, size = 0;
	if (fd < 0) return fd;
	while ((n = sys(NR_read, fd, scratch, sizeof scratch, 0)) > 0) size += n;
	sys(NR_close, fd, 0, 0, 0);
	return n < 0 ? n : size;
}

/*
 * A thread that nobody else is: pid and tgid differ, as do uid and gid. It runs on its parent's stack while that waits
 * (CLONE_VFORK), and must not return.
 */
static void show_ids(void)
{
	word child = fork_task();
	if (child != 0) {
		wait_for(child);
		return;
	}
	sys(NR_setgid, 4321, 0, 0, 0);
	sys(NR_setuid, 1234, 0, 0, 0);
	/* CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_THREAD */
	if (sys(NR_clone, 0x100 | 0x200 | 0x400 | 0x800 | 0x4000 | 0x10000, 0, 0, 0) == 0) {
		sys(NR_prctl, 15 /* PR_SET_NAME */, "kscope-thread-x", 0, 0);
		count("tgid", sys(NR_getpid, 0, 0, 0, 0));
		count("pid", sys(NR_gettid, 0, 0, 0, 0));
		open_file("/counted", O_RDONLY);
		sys(NR_exit, 0, 0, 0, 0);
	}
	sys(NR_exit, 0, 0, 0, 0);
}

/* The CRC that zlib computes, four bits at a time: the guest is emulated, a table of 256 would not pay. */
static unsigned int crc_of(unsigned int crc, const char *bytes, word size)
{
	static unsigned int table[16];
	if (table[1] == 0) {
		for (unsigned int i = 0; i < 16; i++) {
			unsigned int value = i;
			for (int bit = 0; bit < 4; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
			table[i] = value;
		}
	}
	for (word i = 0; i < size; i++) {
		crc ^= (unsigned char)bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

static word sum_file(const char *path)
{
	word fd = open_file(path, O_RDONLY), n, size = 0;
	unsigned int crc = ~0u;
	if (fd < 0) return fd;
	while ((n = sys(NR_read, fd, scratch, sizeof scratch, 0)) > 0) {
		crc = crc_of(crc, scratch, n);
		size += n;
	}
	sys(NR_close, fd, 0, 0, 0);
	count("size", size);
	/* In two halves: a word of the smallest guest is 32 bits, signed. */
	count("crc.high", (word)(~crc >> 16));
	count("crc.low", (word)(~crc & 0xffff));
	return n;
}

static void make_raw(word fd)
{
	/* struct termios of the kernel: four words of flags, c_line, c_cc[19]. */
	struct { unsigned int input, output, control, local; unsigned char rest[20]; } mode;
	if (sys(NR_ioctl, fd, 0x5401 /* TCGETS */, &mode, 0) < 0) return;
	mode.output &= ~1u;              /* OPOST */
	mode.local &= ~(8u | 2u | 1u);   /* ECHO, ICANON, ISIG */
	sys(NR_ioctl, fd, 0x5402 /* TCSETS */, &mode, 0);
}

static word dump(char *arguments)
{
	char *path = next_word(&arguments), *device = next_word(&arguments);
	word size = size_of(path), fd = open_file(device, O_WRONLY);
	if (size < 0) return size;
	if (fd < 0) return fd;
	make_raw(fd);
	put("KSCOPE-DUMP ");
	put_number(size);
	line_out[line_length++] = '\n';
	write_all((int)fd, line_out, line_length);
	line_length = 0;
	word result = copy_file(path, (int)fd);
	sys(NR_ioctl, fd, 0x5409 /* TCSBRK: until all is sent */, 1, 0);
	sys(NR_close, fd, 0, 0, 0);
	count("dumped", size);
	return result;
}

static word obey(char *line)
{
	if (starts_with(line, "open ")) in_tasks(work_open, line + 5);
	else if (starts_with(line, "hot ")) in_tasks(work_hot, line + 4);
	else if (starts_with(line, "think ")) in_tasks(work_think, line + 6);
	else if (starts_with(line, "break ")) in_tasks(work_break, line + 6);
	else if (starts_with(line, "names ")) open_names(line + 6);
	else if (starts_with(line, "fork ")) make_children(line + 5, 0);
	else if (starts_with(line, "exec ")) make_children(line + 5, 1);
	else if (starts_with(line, "profile")) print_profile();
	else if (starts_with(line, "flip ")) return flip(line + 5);
	else if (starts_with(line, "ids")) show_ids();
	else if (starts_with(line, "sum ")) return sum_file(line + 4);
	else if (starts_with(line, "dump ")) return dump(line + 5);
	else if (starts_with(line, "kprobe ")) return write_file("/sys/kernel/tracing/kprobe_events", line + 7, O_APPEND);
	else if (starts_with(line, "enable ")) return write_file("/sys/kernel/tracing/events/kprobes/enable", line + 7, 0);
	else if (starts_with(line, "write ")) {
		char *rest = line + 6, *path = next_word(&rest);
		return write_file(path, rest, O_TRUNC);
	} else if (starts_with(line, "cat ")) {
		say("KSCOPE-FILE");
		return copy_file(line + 4, 1);
	} else if (starts_with(line, "quit")) {
		sys(NR_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0);
	} else return -38;
	return 0;
}

/*
 * A line of the console without its end. The terminal hands out whole lines, one to a read, so that a command costs one
 * vfs_read; what was sent ahead waits there.
 */
static int read_line(char *line, unsigned long size)
{
	word n = sys(NR_read, 0, line, size - 1, 0);
	if (n <= 0) return 0;
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
	line[n] = 0;
	return 1;
}

static void mount_all(void)
{
	static const char *const mounts[][2] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" },
						 { "tracefs", "/sys/kernel/tracing" }, { "debugfs", "/sys/kernel/debug" } };
	for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++)
		sys6(NR_mount, (word)mounts[i][0], (word)mounts[i][1], (word)mounts[i][0], 0, 0, 0);
}

static void quiet_echo(void)
{
	struct { unsigned int input, output, control, local; unsigned char rest[20]; } mode;
	if (sys(NR_ioctl, 0, 0x5401, &mode, 0) < 0) return;
	mode.local &= ~8u;
	sys(NR_ioctl, 0, 0x5402, &mode, 0);
}

void init_main(word *stack)
{
	static char line[1024];
	/* The child of `exec`. Kernels hand on words of their command line, too. */
	if (stack[0] > 1 && starts_with((const char *)stack[2], "child")) sys(NR_exit, 0, 0, 0, 0);
	mount_all();
	quiet_echo();
	write_file("/proc/sys/kernel/kptr_restrict", "0", 0);
	write_file("/proc/sys/debug/exception-trace", "0", 0);
	counters = (void *)sys6(NR_mmap, 0, 65536, PROT_RW, MAP_SHARED_ANON, -1, 0);
	catch_traps();
	say("KSCOPE-READY");
	while (read_line(line, sizeof line)) {
		if (line[0] == 0) continue;
		word result = obey(line);
		if (result < 0) {
			put("KSCOPE-ERROR ");
			put_number(-result);
			end_line();
		} else say("KSCOPE-END");
	}
	for (;;) sys(NR_sched_yield, 0, 0, 0, 0);
}
