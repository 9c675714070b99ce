/*
 * The first and only program of an i686 test guest: does countable work as lines on its console ask, and prints
 * `KSCOPE-COUNTS name value` for what it did. No C library: gcc -m32 -static -nostdlib.
 */
typedef unsigned int u32;

enum {
	SYS_exit = 1, SYS_fork = 2, SYS_read = 3, SYS_write = 4, SYS_close = 6, SYS_mount = 21, SYS_mkdir = 39,
	SYS_wait4 = 114, SYS_getppid = 64, SYS_sched_yield = 158, SYS_rt_sigaction = 174, SYS_mmap2 = 192, SYS_openat = 295,
};

#define AT_FDCWD (-100)
#define O_WRONLY 1
#define O_TRUNC 01000
#define O_APPEND 02000
#define SIGTRAP 5
#define SA_RESTORER 0x04000000

static int syscall6(int n, int a, int b, int c, int d, int e, int f)
{
	int ret;
	__asm__ volatile("push %%ebp; mov %[f], %%ebp; int $0x80; pop %%ebp"
			 : "=a"(ret)
			 : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "m"(f)
			 : "memory");
	return ret;
}

#define syscall(n, a, b, c, d) syscall6(n, (int)(a), (int)(b), (int)(c), (int)(d), 0, 0)

/* Shared with the program in the background. */
static volatile struct {
	int stop;
	int opens;
} *shared;

static volatile int sigtraps;
static char buffer[65536];
/* In a page of the program's own once it is written to. */
static volatile char path[] = "/init";

static int length(const char *text)
{
	int n = 0;
	while (text[n])
		n++;
	return n;
}

static void print(const char *text)
{
	syscall(SYS_write, 1, text, length(text), 0);
}

static void print_count(const char *name, int value)
{
	char digits[12];
	int at = sizeof(digits);

	digits[--at] = 0;
	do
		digits[--at] = '0' + value % 10;
	while (value /= 10);
	print("KSCOPE-COUNTS ");
	print(name);
	print(" ");
	print(digits + at);
	print("\n");
}

static int number(const char *text)
{
	int value = 0;
	while (*text >= '0' && *text <= '9')
		value = value * 10 + *text++ - '0';
	return value;
}

static int write_file(const char *path, int flags, const char *text)
{
	int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | flags, 0);
	int ret = file;

	if (file >= 0) {
		ret = syscall(SYS_write, file, text, length(text), 0);
		syscall(SYS_close, file, 0, 0, 0);
	}
	return ret;
}

static void print_file(const char *path)
{
	int file = syscall(SYS_openat, AT_FDCWD, path, 0, 0);
	int n;

	while ((n = syscall(SYS_read, file, buffer, sizeof(buffer), 0)) > 0)
		syscall(SYS_write, 1, buffer, n, 0);
	syscall(SYS_close, file, 0, 0, 0);
}

/* Opens and closes `path` so often. */
static void open_often(int times)
{
	path[0] = '/';
	for (int i = 0; i < times; i++)
		syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, path, 0, 0), 0, 0, 0);
	print_count("open", times);
}

static void read_often(int times)
{
	int file = syscall(SYS_openat, AT_FDCWD, "/dev/zero", 0, 0);

	for (int i = 0; i < times; i++)
		syscall(SYS_read, file, buffer, 1 + i % 64, 0);
	syscall(SYS_close, file, 0, 0, 0);
	print_count("read", times);
}

static void call_often(int times)
{
	for (int i = 0; i < times; i++)
		syscall(SYS_getppid, 0, 0, 0, 0);
	print_count("getppid", times);
}

static void start_background(void)
{
	shared->stop = 0;
	shared->opens = 0;
	if (syscall(SYS_fork, 0, 0, 0, 0) != 0) {
		print_count("started", 1);
		return;
	}
	while (!shared->stop) {
		int file = syscall(SYS_openat, AT_FDCWD, path, 0, 0);
		syscall(SYS_read, file, buffer, 8, 0);
		syscall(SYS_close, file, 0, 0, 0);
		shared->opens++;
	}
	syscall(SYS_exit, 0, 0, 0, 0);
}

static void stop_background(void)
{
	shared->stop = 1;
	syscall(SYS_wait4, -1, 0, 0, 0);
	print_count("background", shared->opens);
}

static void on_sigtrap(int signal)
{
	(void)signal;
	sigtraps++;
}

__asm__("restore: pop %eax; mov $119, %eax; int $0x80");
extern void restore(void);

static void int3_often(int times)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask[2];
	} action = { on_sigtrap, SA_RESTORER, restore, { 0, 0 } };

	syscall(SYS_rt_sigaction, SIGTRAP, &action, 0, 8);
	sigtraps = 0;
	for (int i = 0; i < times; i++)
		__asm__ volatile("int3" ::: "memory");
	print_count("sigtrap", sigtraps);
}

/* Turns a static key on and off: the kernel patches its own text with breakpoints meanwhile. */
static void flip_often(int times)
{
	for (int i = 0; i < times; i++) {
		write_file("/proc/sys/kernel/sched_schedstats", 0, "1");
		write_file("/proc/sys/kernel/sched_schedstats", 0, "0");
	}
	print_count("flip", times);
}

static void obey(char *line)
{
	const char *rest = line + 2;

	switch (line[0]) {
	case 'o': open_often(number(rest)); break;
	case 'r': read_often(number(rest)); break;
	case 'g': call_often(number(rest)); break;
	case 's': start_background(); break;
	case 'S': stop_background(); break;
	case 't': int3_often(number(rest)); break;
	case 'f': flip_often(number(rest)); break;
	case 'k':
		write_file("/sys/kernel/tracing/kprobe_events", O_APPEND, rest);
		print_count("kprobes", write_file("/sys/kernel/tracing/events/kprobes/enable", 0, "1"));
		break;
	case 'p':
		print_file("/sys/kernel/tracing/kprobe_profile");
		print_count("profile", 0);
		break;
	case 'd':
		write_file("/sys/kernel/tracing/events/kprobes/enable", 0, "0");
		write_file("/sys/kernel/tracing/kprobe_events", O_TRUNC, "\n");
		print_count("cleared", 0);
		break;
	case 'y':
		print_file("/proc/kallsyms");
		print_count("kallsyms", 0);
		break;
	}
}

void _start(void)
{
	static const char *const mounts[][2] = {
		{ "/proc", "proc" }, { "/sys", "sysfs" }, { "/sys/kernel/tracing", "tracefs" }, { "/dev", "devtmpfs" },
	};

	for (u32 i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		syscall(SYS_mkdir, mounts[i][0], 0755, 0, 0);
		syscall(SYS_mount, mounts[i][1], mounts[i][0], mounts[i][1], 0);
	}
	write_file("/proc/sys/kernel/kptr_restrict", 0, "0");
	write_file("/proc/sys/kernel/printk", 0, "4");
	/* Kprobes that are jumps are no breakpoints. */
	write_file("/proc/sys/debug/kprobes-optimization", 0, "0");
	write_file("/proc/sys/debug/exception-trace", 0, "0");
	shared = (void *)syscall6(SYS_mmap2, 0, 4096, 3, 0x21, -1, 0);
	print_count("ready", 1);
	for (;;) {
		int n = syscall(SYS_read, 0, buffer, 200, 0);

		if (n <= 0)
			continue;
		buffer[n] = 0;
		obey(buffer);
	}
}
