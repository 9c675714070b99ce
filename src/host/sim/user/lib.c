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

/* Room for an address of either version. */
struct endpoint {
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	long length;
};

/* This machine's port: 127.0.0.1 or ::1, or any address of it. */
static void this_machine(struct endpoint *to, int family, int port, int any)
{
	unsigned short network = (unsigned short)(port << 8 | port >> 8);
	memset(to, 0, sizeof(*to));
	to->address.v4.sin_family = (unsigned short)family;
	to->address.v4.sin_port = network;
	to->length = family == AF_INET ? (long)sizeof(to->address.v4) : (long)sizeof(to->address.v6);
	if (any)
		return;
	if (family == AF_INET)
		to->address.v4.sin_addr.s_addr = 0x0100007f;
	else
		to->address.v6.sin6_addr.s6_addr[15] = 1;
}

long socket_of(int family) { return syscall(__NR_socket, (long)family, (long)SOCK_STREAM, 0L); }

long set_option(long fd, int level, int name, int value)
{
	return syscall(__NR_setsockopt, fd, (long)level, (long)name, &value, (long)sizeof(value));
}

/* 0, or a negative errno. */
long connect_socket(long fd, int family, int port)
{
	struct endpoint to;
	this_machine(&to, family, port, 0);
	return syscall(__NR_connect, fd, &to.address, to.length);
}

/* Of version 6 by an address of version 4. */
long connect_mapped(long fd, int port)
{
	struct endpoint to;
	this_machine(&to, AF_INET6, port, 1);
	to.address.v6.sin6_addr.s6_addr32[2] = 0xffff0000u;
	to.address.v6.sin6_addr.s6_addr32[3] = 0x0100007f;
	return syscall(__NR_connect, fd, &to.address, to.length);
}

/* A server of version 6 takes any address, and so version 4 too, unless it was told not to. */
long listen_socket(long fd, int family, int port)
{
	struct endpoint at;
	long error;
	this_machine(&at, family, port, family == AF_INET6);
	error = syscall(__NR_bind, fd, &at.address, at.length);
	return error ? error : syscall(__NR_listen, fd, 16L);
}

/* A connected socket, or a negative errno. */
long connect_to(int port)
{
	long fd = socket_of(AF_INET);
	long error = fd < 0 ? fd : connect_socket(fd, AF_INET, port);
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

/* A server's socket, whose port may be in time-wait. */
long listen_on(int family, int port)
{
	long fd = socket_of(family);
	long error = fd < 0 ? fd : set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!error)
		error = listen_socket(fd, family, port);
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
