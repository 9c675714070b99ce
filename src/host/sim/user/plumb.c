/*
 * plumb OPERATION...: does one system call after another on descriptors and prints what each of them answered, a line
 * each. Descriptors are numbers. open:PATH create:PATH append:PATH close:FD read:FD,N write:FD,N seek:FD,N tell:FD dup:FD
 * dup2:FD,FD dup3:FD,FD (close on exec) dupfd:FD,FROM getfd:FD getfl:FD pipe pipen (non-blocking) poll:FD,EVENTS epoll
 * add:EP,FD,EVENTS mod:EP,FD,EVENTS del:EP,FD wait:EP,MAX (the descriptors that are ready, with their events) ignore:SIG.
 * Waiting is without time.
 */
#include "libc/libc.h"

static char buffer[65536];

struct operation {
	const char *name;
	const char *text;
	long arg[3];
};

static void parse(char *word, struct operation *op)
{
	int i;
	char *s = strchr(word, ':');
	memset(op, 0, sizeof(*op));
	op->name = word;
	if (!s)
		return;
	*s++ = 0;
	op->text = s;
	for (i = 0; s && i < 3; i++) {
		op->arg[i] = atoi(s);
		s = strchr(s, ',');
		if (s)
			s++;
	}
}

static long make_pipe(int flags)
{
	int ends[2];
	long error = pipe2(ends, flags);
	return error ? error : ends[0] * 100 + ends[1];
}

static long poll_one(const long *arg)
{
	struct pollfd fd = { .fd = (int)arg[0], .events = (short)arg[1] };
	long n = poll(&fd, 1, 0);
	return n < 0 ? n : fd.revents;
}

static long control(int op, const long *arg)
{
	struct epoll_event event = { .events = (unsigned int)arg[2], .data = (unsigned long)arg[1] };
	return epoll_ctl(arg[0], op, arg[1], &event);
}

#define EVENTS_MAX 16

/* Answers by itself: the descriptors in ascending order. */
static long wait_for(const long *arg)
{
	struct epoll_event events[EVENTS_MAX];
	long n = epoll_wait(arg[0], events, arg[1] > EVENTS_MAX ? EVENTS_MAX : (int)arg[1], 0), i, fd;
	for (fd = 0; fd < 32; fd++)
		for (i = 0; i < n; i++)
			if ((long)events[i].data == fd)
				dprintf(1, "%ld=%x ", fd, events[i].events);
	return n;
}

static long on_descriptor(const struct operation *op)
{
	const char *name = op->name;
	const long *arg = op->arg;
	if (!strcmp(name, "close"))
		return close(arg[0]);
	if (!strcmp(name, "read"))
		return read(arg[0], buffer, (size_t)arg[1]);
	if (!strcmp(name, "write"))
		return write(arg[0], buffer, (size_t)arg[1]);
	if (!strcmp(name, "seek"))
		return lseek(arg[0], arg[1], SEEK_SET);
	if (!strcmp(name, "tell"))
		return lseek(arg[0], 0, SEEK_CUR);
	if (!strcmp(name, "dup"))
		return dup(arg[0]);
	if (!strcmp(name, "dup2"))
		return dup2(arg[0], arg[1]);
	if (!strcmp(name, "dup3"))
		return syscall(__NR_dup3, arg[0], arg[1], (long)O_CLOEXEC);
	if (!strcmp(name, "dupfd"))
		return fcntl(arg[0], F_DUPFD, arg[1]);
	if (!strcmp(name, "getfd"))
		return fcntl(arg[0], F_GETFD, 0);
	if (!strcmp(name, "getfl"))
		return fcntl(arg[0], F_GETFL, 0);
	return -ENOSYS;
}

static long carry_out(const struct operation *op)
{
	const char *name = op->name;
	if (!strcmp(name, "open"))
		return open(op->text, O_RDONLY, 0);
	if (!strcmp(name, "create"))
		return open(op->text, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (!strcmp(name, "append"))
		return open(op->text, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (!strcmp(name, "pipe"))
		return make_pipe(0);
	if (!strcmp(name, "pipen"))
		return make_pipe(O_NONBLOCK);
	if (!strcmp(name, "poll"))
		return poll_one(op->arg);
	if (!strcmp(name, "epoll"))
		return epoll_create1(0);
	if (!strcmp(name, "add"))
		return control(EPOLL_CTL_ADD, op->arg);
	if (!strcmp(name, "mod"))
		return control(EPOLL_CTL_MOD, op->arg);
	if (!strcmp(name, "del"))
		return control(EPOLL_CTL_DEL, op->arg);
	if (!strcmp(name, "wait"))
		return wait_for(op->arg);
	if (!strcmp(name, "ignore")) {
		unsigned long action[4] = { 1, 0, 0, 0 };
		return syscall(__NR_rt_sigaction, op->arg[0], action, 0L, 8L);
	}
	return on_descriptor(op);
}

int main(int argc, char **argv)
{
	int i;
	for (i = 1; i < argc; i++) {
		struct operation op;
		long result;
		parse(argv[i], &op);
		result = carry_out(&op);
		dprintf(1, "%s %ld\n", op.name, result);
	}
	return 0;
}
