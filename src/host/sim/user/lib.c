/* System calls by name, strings, and sockets to this machine itself. */
#include "lib.h"

long fork(void) { return syscall(__NR_fork); }
long execve(const char *path, char *const *argv, char *const *envp) { return syscall(__NR_execve, path, argv, envp); }
long wait4(long pid, int *status, int options) { return syscall(__NR_wait4, pid, status, (long)options, 0L); }
long open(const char *path, int flags, int mode)
{
	return syscall(__NR_openat, (long)AT_FDCWD, path, (long)flags, (long)mode);
}
long close(long fd) { return syscall(__NR_close, fd); }
long read(long fd, void *buf, size_t n) { return syscall(__NR_read, fd, buf, n); }
long write(long fd, const void *buf, size_t n) { return syscall(__NR_write, fd, buf, n); }
long fsync(long fd) { return syscall(__NR_fsync, fd); }
long lseek(long fd, long offset, int whence) { return syscall(__NR_lseek, fd, offset, (long)whence); }
long unlink(const char *path) { return syscall(__NR_unlinkat, (long)AT_FDCWD, path, 0L); }
long pipe2(int *ends, int flags) { return syscall(__NR_pipe2, ends, (long)flags); }
long dup(long fd) { return syscall(__NR_dup, fd); }
long dup2(long from, long to) { return syscall(__NR_dup2, from, to); }
long fcntl(long fd, int cmd, long arg) { return syscall(__NR_fcntl, fd, (long)cmd, arg); }
long poll(struct pollfd *fds, unsigned int count, int ms) { return syscall(__NR_poll, fds, (long)count, (long)ms); }
long epoll_create1(int flags) { return syscall(__NR_epoll_create1, (long)flags); }
long epoll_ctl(long epfd, int op, long fd, struct epoll_event *event)
{
	return syscall(__NR_epoll_ctl, epfd, (long)op, fd, event);
}
long epoll_wait(long epfd, struct epoll_event *events, int max, int ms)
{
	return syscall(__NR_epoll_wait, epfd, events, (long)max, (long)ms);
}
long kill(long pid, int sig) { return syscall(__NR_kill, pid, (long)sig); }

void exit(int code)
{
	for (;;)
		syscall(__NR_exit_group, (long)code);
}

long sleep_us(long us)
{
	struct timespec64 ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	return syscall(__NR_nanosleep, &ts, 0L);
}

static void loopback(struct sockaddr_in *address, int port)
{
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_port = (unsigned short)(port << 8 | port >> 8);
	address->sin_addr = 0x0100007f;
}

/* A connected socket, or a negative errno. */
long connect_to(int port)
{
	struct sockaddr_in address;
	long fd = syscall(__NR_socket, (long)AF_INET, (long)SOCK_STREAM, 0L);
	long error;
	if (fd < 0)
		return fd;
	loopback(&address, port);
	error = syscall(__NR_connect, fd, &address, sizeof(address));
	if (!error)
		return fd;
	close(fd);
	return error;
}

long listen_on(int port)
{
	struct sockaddr_in address;
	long fd = syscall(__NR_socket, (long)AF_INET, (long)SOCK_STREAM, 0L);
	long error;
	if (fd < 0)
		return fd;
	loopback(&address, port);
	error = syscall(__NR_bind, fd, &address, sizeof(address));
	if (!error)
		error = syscall(__NR_listen, fd, 16L);
	return error ? error : fd;
}

size_t strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int starts_with(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return 0;
	return 1;
}

long atoi(const char *s)
{
	long value = 0;
	while (*s >= '0' && *s <= '9')
		value = value * 10 + (*s++ - '0');
	return value;
}

/* Appends the number in decimal; the result points at the NUL. */
char *utoa(char *to, unsigned long value)
{
	char digits[24];
	int n = 0;
	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		*to++ = digits[--n];
	*to = 0;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *result = to;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return result;
}

void *memset(void *to, int value, size_t n)
{
	void *result = to;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
	return result;
}

void say(const char *text) { write(1, text, strlen(text)); }

void die(const char *what, long error)
{
	char line[96];
	char *end = line;
	memcpy(end, what, strlen(what));
	end += strlen(what);
	memcpy(end, ": error ", 8);
	end = utoa(end + 8, (unsigned long)-error);
	*end++ = '\n';
	write(2, line, (size_t)(end - line));
	exit(1);
}
