/*
 * op OPERATION...: does what it is told, in order, in one process. Files: open:PATH open2:PATH (by the old call)
 * create:PATH read:N write:N lseek:N fsync fstat map:PAGE drop close unlink:PATH mkdir:PATH stat:PATH. Else: sleep:US compute:N
 * touch:PAGES hog:PAGES brk:PAGES fork yield getpid getppid setuid:N kill:PID clock connect:PORT threads:N exit:N.
 * Sockets that the file operations
 * then go to: accept:PORT and accept6:PORT (of one connection), dial:PORT, dial6:PORT, mapped:PORT (of version 6 by an
 * address of version 4), listen:PORT, listen6:PORT; put:N and get:N of bytes that the place in the stream tells, which get
 * looks at, end, which fails if there are more, and shutdown. What sockets of the process have from there on: reuseaddr
 * reuseport freebind transparent noport v6only rcvbuf:N sndbuf:N. Signals: handle:SIG raise:SIG block:SIG unblock:SIG, and
 * handled:N, which fails if the handler has not run as often. And poke:WHAT, which does what
 * a program must not: user, kernel, syscall (a bad pointer), hlt, int3.
 */
#include "lib.h"

static char buffer[65536];
static long fd = -1;
static volatile unsigned long sink;

static unsigned long mix(unsigned long x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static void compute(long rounds)
{
	unsigned long x = 88172645463325252UL;
	while (rounds-- > 0)
		x = mix(x);
	sink = x;
}

static void write_pages(char *memory, long pages)
{
	long i;
	for (i = 0; i < pages; i++)
		memory[i * 4096] = 1;
}

/* Writes one byte to each of that many pages nobody has touched, gives them back, and does it again. */
static void touch(long pages)
{
	char *memory = (char *)syscall(__NR_mmap, 0L, pages * 4096, 3L, 0x22L, -1L, 0L);
	write_pages(memory, pages);
	syscall(__NR_madvise, memory, pages * 4096, (long)MADV_DONTNEED);
	write_pages(memory, pages);
	syscall(__NR_munmap, memory, pages * 4096);
}

/* Uses that many pages, and keeps them. */
static void hog(long pages)
{
	char *memory = (char *)syscall(__NR_mmap, 0L, pages * 4096, 3L, 0x22L, -1L, 0L);
	if ((long)memory > 0)
		write_pages(memory, pages);
}

/* Grows the heap by that many pages, uses them, and shrinks it again. */
static void grow_heap(long pages)
{
	long start = syscall(__NR_brk, 0L);
	if (syscall(__NR_brk, start + pages * 4096) == start + pages * 4096)
		write_pages((char *)start, pages);
	syscall(__NR_brk, start);
}

static void read_clock(void)
{
	struct timespec64 ts;
	syscall(__NR_clock_gettime, (long)CLOCK_MONOTONIC, &ts);
}

static void stat_open_file(void)
{
	struct stat st;
	syscall(__NR_fstat, fd, &st);
}

static void stat_path(const char *path)
{
	struct stat st;
	syscall(__NR_stat, path, &st);
}

/* The child exits at once; the parent waits for it. */
static void fork_once(void)
{
	int status;
	long pid = fork();
	if (pid == 0)
		exit(0);
	wait4(pid, &status, 0);
}

#define THREADS_MAX 8
static char stacks[THREADS_MAX][4096];
static volatile long threads_done;

static void thread_main(void)
{
	compute(3000);
	syscall(__NR_gettid);
	__atomic_add_fetch(&threads_done, 1, __ATOMIC_SEQ_CST);
}

/* Threads that compute; sleeps until all of them have. */
static void run_threads(long n)
{
	long i;
	threads_done = 0;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	for (i = 0; i < n; i++)
		spawn(thread_main, stacks[i] + sizeof(stacks[i]));
	while (threads_done < n)
		sleep_us(200);
}

static void poke(const char *what)
{
	if (!strcmp(what, "user"))
		*(volatile char *)0x10 = 1;
	else if (!strcmp(what, "kernel"))
		sink = *(volatile unsigned long *)0xffffffff81000000UL;
	else if (!strcmp(what, "syscall"))
		syscall(__NR_openat, (long)AT_FDCWD, 0x10L, 0L, 0L);
	else if (!strcmp(what, "int3"))
		__asm__ volatile("int3");
	else
		__asm__ volatile("hlt");
}

/* Options of the sockets that are made from here on. */
static const struct {
	const char *name;
	int level, option;
} options[] = {
	{ "reuseaddr", SOL_SOCKET, SO_REUSEADDR }, { "reuseport", SOL_SOCKET, SO_REUSEPORT },
	{ "freebind", SOL_IP, IP_FREEBIND },	   { "transparent", SOL_IP, IP_TRANSPARENT },
	{ "noport", SOL_IP, IP_BIND_ADDRESS_NO_PORT }, { "v6only", SOL_IPV6, IPV6_V6ONLY },
	{ "rcvbuf:", SOL_SOCKET, SO_RCVBUF },	   { "sndbuf:", SOL_SOCKET, SO_SNDBUF },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))
static int option_values[OPTIONS];
static long sent, received;

static int option_operation(const char *name, const char *arg)
{
	unsigned int i;
	for (i = 0; i < OPTIONS; i++)
		if (starts_with(name, options[i].name)) {
			option_values[i] = *arg ? (int)atoi(arg) : 1;
			return 1;
		}
	return 0;
}

static long new_socket(int family)
{
	long sock = socket_of(family);
	unsigned int i;
	for (i = 0; i < OPTIONS && sock >= 0; i++)
		if (option_values[i])
			set_option(sock, options[i].level, options[i].option, option_values[i]);
	sent = received = 0;
	return sock;
}

static long listener_of(int family, int port)
{
	long sock = new_socket(family);
	listen_socket(sock, family, port);
	return sock;
}

/* The first connection to the port, whose listener goes when it is there. */
static void accept_once(int family, int port)
{
	long listener = listener_of(family, port);
	fd = syscall(__NR_accept, listener, 0L, 0L);
	close(listener);
}

/* The server may still be starting. */
static void dial(int family, int port, int mapped)
{
	int tries;
	for (tries = 0; tries < 50; tries++) {
		long error;
		fd = new_socket(family);
		error = mapped ? connect_mapped(fd, port) : connect_socket(fd, family, port);
		if (error != -ECONNREFUSED)
			break;
		close(fd);
		sleep_us(500);
	}
}

static char pattern(long at) { return (char)(at * 31 + (at >> 8) * 7 + (at >> 16)); }

static void put(long n)
{
	while (n > 0) {
		long i, some = n < 4096 ? n : 4096, done;
		for (i = 0; i < some; i++)
			buffer[i] = pattern(sent + i);
		done = write(fd, buffer, (size_t)some);
		if (done <= 0)
			die("put", done);
		sent += done;
		n -= done;
	}
}

static void get(long n)
{
	while (n > 0) {
		long i, done = read(fd, buffer, (size_t)(n < 4096 ? n : 4096));
		if (done <= 0)
			die("get", done);
		for (i = 0; i < done; i++)
			if (buffer[i] != pattern(received + i))
				die("get", -EIO);
		received += done;
		n -= done;
	}
}

static int socket_operation(const char *name, const char *arg)
{
	if (starts_with(name, "accept:"))
		accept_once(AF_INET, (int)atoi(arg));
	else if (starts_with(name, "accept6:"))
		accept_once(AF_INET6, (int)atoi(arg));
	else if (starts_with(name, "dial:"))
		dial(AF_INET, (int)atoi(arg), 0);
	else if (starts_with(name, "dial6:"))
		dial(AF_INET6, (int)atoi(arg), 0);
	else if (starts_with(name, "mapped:"))
		dial(AF_INET6, (int)atoi(arg), 1);
	else if (starts_with(name, "listen:"))
		fd = listener_of(AF_INET, (int)atoi(arg));
	else if (starts_with(name, "listen6:"))
		fd = listener_of(AF_INET6, (int)atoi(arg));
	else if (starts_with(name, "put:"))
		put(atoi(arg));
	else if (starts_with(name, "get:"))
		get(atoi(arg));
	else if (!strcmp(name, "end")) {
		if (read(fd, buffer, 1))
			die(name, -EIO);
	} else if (!strcmp(name, "shutdown"))
		syscall(__NR_shutdown, fd, (long)SHUT_WR);
	else
		return 0;
	return 1;
}

static volatile long handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

void restore_rt(void);
__asm__("restore_rt:\n\tmovl $15, %eax\n\tsyscall\n");

#define SA_RESTORER 0x04000000UL

static void handle(long sig)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} action = { on_signal, SA_RESTORER, restore_rt, 0 };
	syscall(__NR_rt_sigaction, sig, &action, 0L, 8L);
}

static void mask_signal(int how, long sig)
{
	unsigned long mask = 1UL << (sig - 1);
	syscall(__NR_rt_sigprocmask, (long)how, &mask, 0L, 8L);
}

static int signal_operation(const char *name, const char *arg)
{
	if (starts_with(name, "handle:"))
		handle(atoi(arg));
	else if (starts_with(name, "raise:"))
		syscall(__NR_kill, syscall(__NR_getpid), atoi(arg));
	else if (starts_with(name, "block:"))
		mask_signal(SIG_BLOCK, atoi(arg));
	else if (starts_with(name, "unblock:"))
		mask_signal(SIG_UNBLOCK, atoi(arg));
	else if (starts_with(name, "handled:")) {
		if (handled != atoi(arg))
			die(name, -EIO);
	} else
		return 0;
	return 1;
}

static long size_of(const char *arg)
{
	long n = atoi(arg);
	return n > (long)sizeof(buffer) ? (long)sizeof(buffer) : n;
}

/* Looks at a page of the open file through a mapping. */
static void map_page(long page)
{
	char *memory = (char *)syscall(__NR_mmap, 0L, (page + 1) * 4096, (long)PROT_READ, (long)MAP_PRIVATE, fd, 0L);
	sink = (unsigned long)*(volatile char *)(memory + page * 4096);
	syscall(__NR_munmap, memory, (page + 1) * 4096);
}

/* Operations on the open file; 0 if it is none of these. */
static int file_operation(const char *name, const char *arg)
{
	if (starts_with(name, "open:"))
		fd = open(arg, O_RDONLY, 0);
	else if (starts_with(name, "open2:"))
		fd = syscall(__NR_open, arg, (long)O_RDWR, 0L);
	else if (starts_with(name, "create:"))
		fd = open(arg, O_RDWR | O_CREAT | O_TRUNC, 0644);
	else if (starts_with(name, "read:"))
		read(fd, buffer, (size_t)size_of(arg));
	else if (starts_with(name, "write:"))
		write(fd, buffer, (size_t)size_of(arg));
	else if (starts_with(name, "lseek:"))
		lseek(fd, atoi(arg), SEEK_SET);
	else if (!strcmp(name, "fsync"))
		fsync(fd);
	else if (!strcmp(name, "fstat"))
		stat_open_file();
	else if (starts_with(name, "map:"))
		map_page(atoi(arg));
	else if (!strcmp(name, "drop"))
		syscall(__NR_fadvise64, fd, 0L, 0L, (long)POSIX_FADV_DONTNEED);
	else if (!strcmp(name, "close"))
		close(fd);
	else
		return 0;
	return 1;
}

static void other_operation(const char *name, const char *arg)
{
	if (starts_with(name, "unlink:"))
		syscall(__NR_unlink, arg);
	else if (starts_with(name, "mkdir:"))
		syscall(__NR_mkdir, arg, 0755L);
	else if (starts_with(name, "stat:"))
		stat_path(arg);
	else if (starts_with(name, "sleep:"))
		sleep_us(atoi(arg));
	else if (starts_with(name, "compute:"))
		compute(atoi(arg));
	else if (starts_with(name, "touch:"))
		touch(atoi(arg));
	else if (starts_with(name, "hog:"))
		hog(atoi(arg));
	else if (!strcmp(name, "fork"))
		fork_once();
	else if (!strcmp(name, "yield"))
		syscall(__NR_sched_yield);
	else if (starts_with(name, "brk:"))
		grow_heap(atoi(arg));
	else if (!strcmp(name, "clock"))
		read_clock();
	else if (!strcmp(name, "getpid"))
		syscall(__NR_getpid);
	else if (starts_with(name, "kill:"))
		syscall(__NR_kill, atoi(arg), (long)SIGTERM);
	else if (starts_with(name, "setuid:"))
		syscall(__NR_setuid, atoi(arg));
	else if (!strcmp(name, "getppid"))
		syscall(__NR_getppid);
	else if (starts_with(name, "connect:"))
		close(connect_to((int)atoi(arg)));
	else if (starts_with(name, "threads:"))
		run_threads(atoi(arg));
	else if (starts_with(name, "poke:"))
		poke(arg);
	else if (starts_with(name, "exit:"))
		exit((int)atoi(arg));
	else
		die(name, -EINVAL);
}

int main(int argc, char **argv)
{
	int i;
	for (i = 1; i < argc; i++) {
		const char *arg = argv[i];
		while (*arg && *arg++ != ':')
			;
		if (!file_operation(argv[i], arg) && !signal_operation(argv[i], arg) && !socket_operation(argv[i], arg) &&
		    !option_operation(argv[i], arg))
			other_operation(argv[i], arg);
	}
	return 0;
}
