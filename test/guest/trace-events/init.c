/*
 * Init of a guest that is asked what its trace events look like and in which order they come. On the second serial port:
 *   F SYSTEM/EVENT        each line of the event's format follows, `| ` before it; for each line of /events
 *   T LINE                a line of `trace`, after the workload, with the events of /traced on
 *   Z                     the end
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define DISK "/dev/nvme0n1"
#define ROUNDS 24

static FILE *out;
static char buffer[8 << 20];

static char *slurp(const char *name)
{
	int fd = open(name, O_RDONLY);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	while (length < sizeof(buffer) - 1 && (got = read(fd, buffer + length, sizeof(buffer) - 1 - length)) > 0)
		length += got;
	close(fd);
	buffer[length] = 0;
	return buffer;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		fprintf(out, "E %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void tell_format(const char *event)
{
	char path[256];
	char *line, *rest;

	snprintf(path, sizeof(path), TRACING "events/%s/format", event);
	rest = slurp(path);
	fprintf(out, "F %s\n", event);
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (*line != 0)
			fprintf(out, "| %s\n", line);
}

/** Calls `each` with every line of a file. */
static void each_line(const char *name, void (*each)(const char *line))
{
	char *text = slurp(name);
	char *copy = strdup(text == NULL ? "" : text);
	char *line, *rest = copy;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != 0)
			each(line);
	free(copy);
}

static void enable(const char *event)
{
	char path[256];

	snprintf(path, sizeof(path), TRACING "events/%s/enable", event);
	put(path, "1");
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/** A program that does nothing is executed, opens a file that is there and one that is not. */
static void fork_and_exec(void)
{
	char *const argv[] = {"/init", "child", NULL};
	char *const missing[] = {"/nothing", NULL};

	if (fork() == 0) {
		execv(missing[0], missing);
		execv(argv[0], argv);
		_exit(1);
	}
	wait(NULL);
}

static void open_files(void)
{
	char text[512];
	int fd = openat(AT_FDCWD, "/events", O_RDONLY);

	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
	openat(AT_FDCWD, "/nothing", O_RDONLY);
}

/** Reads what no page of the cache holds; writes and syncs. */
static void use_disk(int round)
{
	static char page[4096], many[2 << 20];
	int fd = open(DISK, O_RDWR);

	pread(fd, page, sizeof(page), (off_t)round << 20);
	pread(fd, page, sizeof(page), (off_t)round << 20);
	pread(fd, many, sizeof(many), (off_t)(32 + round) << 20);
	pwrite(fd, page, sizeof(page), ((off_t)round << 20) + 65536);
	fsync(fd);
	close(fd);
}

static void serve(int listener)
{
	char text[256];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t got = read(fd, text, sizeof(text));

		if (got > 0)
			write(fd, text, got);
		close(fd);
	}
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static int start_server(int port)
{
	struct sockaddr_in address = loopback(port);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, child;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(listener, (struct sockaddr *)&address, sizeof(address));
	listen(listener, 16);
	child = fork();
	if (child == 0)
		serve(listener);
	close(listener);
	return child;
}

/** The server closes after its answer, the client when it has read the end; `refused`: nobody listens there. */
static void connect_once(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[256];

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		write(fd, "hello", 5);
		while (read(fd, text, sizeof(text)) > 0)
			;
	}
	close(fd);
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

static void handler(int number)
{
	(void)number;
}

static void signals(void)
{
	int child;

	signal(SIGUSR1, handler);
	kill(getpid(), SIGUSR1);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	usleep(1000);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

static void workload(void)
{
	int server = start_server(80), round;

	usleep(20000);
	for (round = 1; round <= ROUNDS; round++) {
		fork_and_exec();
		open_files();
		use_disk(round);
		connect_once(80);
		connect_once(81);
		signals();
	}
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static void tell_trace(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[1024];

	while (trace != NULL && fgets(line, sizeof(line), trace) != NULL)
		if (line[0] != '#')
			fprintf(out, "T %s", line);
}

static FILE *open_port(void)
{
	struct termios raw;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);

	tcgetattr(fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	return fdopen(fd, "w");
}

int main(int argc, char **argv)
{
	struct utsname name;

	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return 0;
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", TRACING, "tracefs", 0, NULL);
	out = open_port();
	uname(&name);
	fprintf(out, "R %s\n", name.release);
	loopback_up();
	put("/sys/block/nvme0n1/queue/scheduler", "mq-deadline");
	each_line("/events", tell_format);
	put(TRACING "buffer_size_kb", "16384");
	put(TRACING "trace_clock", "mono");
	each_line("/traced", enable);
	workload();
	put(TRACING "tracing_on", "0");
	tell_trace();
	fprintf(out, "Z\n");
	fflush(out);
	tcdrain(fileno(out));
	reboot(RB_POWER_OFF);
	return 0;
}
