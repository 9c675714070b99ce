/*
 * nap MS poll|epoll: waits that long for what does not come. nap MS ppoll: blocks SIGUSR1, lets a child send it, and
 * waits with nothing blocked: says how that ended, how often the handler ran, and what is blocked afterwards.
 */
#include "libc/libc.h"

static volatile int handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

void restore_rt(void);
__asm__("restore_rt:\n\tmovl $15, %eax\n\tsyscall\n");

#define SA_RESTORER 0x04000000UL

static void block_and_handle(int sig)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} action = { on_signal, SA_RESTORER, restore_rt, 0 };
	unsigned long mask = 1UL << (sig - 1);
	syscall(__NR_rt_sigaction, (long)sig, &action, 0L, 8L);
	syscall(__NR_rt_sigprocmask, (long)SIG_BLOCK, &mask, 0L, 8L);
}

static int with_mask(long ms)
{
	struct timespec64 limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	unsigned long none = 0, blocked = 0;
	long self = syscall(__NR_getpid), result;
	int status;
	block_and_handle(SIGUSR1);
	if (fork() == 0) {
		sleep_us(ms * 200);
		exit((int)kill(self, SIGUSR1));
	}
	result = syscall(__NR_ppoll, 0L, 0L, &limit, &none, 8L);
	syscall(__NR_rt_sigprocmask, (long)SIG_BLOCK, 0L, &blocked, 8L);
	dprintf(1, "%s, handled %d, blocked %lx\n", result == -EINTR ? "EINTR" : "no signal", handled, blocked);
	wait4(-1, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	long ms = argc == 3 ? atoi(argv[1]) : 0;
	int ends[2];
	struct pollfd end = { .events = EPOLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	long epfd;
	if (argc != 3)
		return 2;
	if (!strcmp(argv[2], "ppoll"))
		return with_mask(ms);
	pipe2(ends, 0);
	end.fd = ends[0];
	if (!strcmp(argv[2], "poll"))
		return poll(&end, 1, (int)ms) != 0;
	epfd = epoll_create1(0);
	epoll_ctl(epfd, EPOLL_CTL_ADD, ends[0], &event);
	return epoll_wait(epfd, &event, 1, (int)ms) != 0;
}
