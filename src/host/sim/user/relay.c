/*
 * relay CHILDREN MESSAGES: so many children write lines into pipes of their own; one process waits for all of them with
 * epoll, reads what comes, and says how many lines that were. relay -p CHILDREN MESSAGES waits with poll.
 */
#include "libc/libc.h"

#define CHILDREN_MAX 12

static int ends[CHILDREN_MAX][2];
static int children, open_ends;
static unsigned long lines;
static char buffer[1024];

static void child(int self, long messages)
{
	long i;
	for (i = 0; i < messages; i++) {
		dprintf(ends[self][1], "child %d message %ld\n", self, i);
		sleep_us(100 * (self + 1));
	}
	exit(0);
}

static void start_children(long messages)
{
	int i;
	for (i = 0; i < children; i++) {
		long error = pipe2(ends[i], O_CLOEXEC);
		if (error < 0)
			die("relay: pipe2", error);
	}
	for (i = 0; i < children; i++)
		if (fork() == 0)
			child(i, messages);
	for (i = 0; i < children; i++)
		close(ends[i][1]);
	open_ends = children;
}

/* Closes the end that has nothing more to tell. */
static void take(int which)
{
	long n = read(ends[which][0], buffer, sizeof(buffer)), i;
	for (i = 0; i < n; i++)
		lines += buffer[i] == '\n';
	if (n > 0)
		return;
	close(ends[which][0]);
	ends[which][0] = -1;
	open_ends--;
}

static void wait_with_epoll(void)
{
	struct epoll_event events[CHILDREN_MAX];
	long epfd = epoll_create1(O_CLOEXEC);
	int i;
	for (i = 0; i < children; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data = (unsigned long)i };
		long error = epoll_ctl(epfd, EPOLL_CTL_ADD, ends[i][0], &event);
		if (error)
			die("relay: epoll_ctl", error);
	}
	while (open_ends) {
		long n = epoll_wait(epfd, events, CHILDREN_MAX, -1), e;
		if (n < 0)
			die("relay: epoll_wait", n);
		for (e = 0; e < n; e++)
			take((int)events[e].data);
	}
}

static void wait_with_poll(void)
{
	struct pollfd fds[CHILDREN_MAX];
	int i;
	while (open_ends) {
		long n;
		for (i = 0; i < children; i++) {
			fds[i].fd = ends[i][0];
			fds[i].events = EPOLLIN;
		}
		n = poll(fds, (unsigned int)children, 50);
		if (n < 0)
			die("relay: poll", n);
		for (i = 0; i < children; i++)
			if (fds[i].revents)
				take(i);
	}
}

int main(int argc, char **argv)
{
	int with_poll = argc > 1 && !strcmp(argv[1], "-p"), status;
	argv += with_poll;
	if (argc - with_poll != 3)
		return 2;
	children = (int)atoi(argv[1]);
	if (children > CHILDREN_MAX)
		return 2;
	start_children(atoi(argv[2]));
	if (with_poll)
		wait_with_poll();
	else
		wait_with_epoll();
	while (wait4(-1, &status, 0) > 0)
		;
	dprintf(1, "%lu lines\n", lines);
	return 0;
}
