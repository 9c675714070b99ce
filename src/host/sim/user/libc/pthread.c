/* Threads: tasks that share all memory. One that is joined sleeps on a word which the kernel clears as the thread ends. */
#include "libc.h"
#include "sdt.h"

#define STACK_SIZE 16384UL
/* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID */
#define THREAD_FLAGS 0x350f00L

struct thread {
	/* Its number while it runs. */
	volatile int tid;
	void *(*start)(void *);
	void *argument;
	void *result;
	char *stack;
};

USDT_SEMAPHORE(libc, pthread_create);
USDT_SEMAPHORE(libc, pthread_start);

long __clone(long flags, void *stack_top, volatile int *parent_tid, volatile int *child_tid, void (*start)(struct thread *),
	     struct thread *thread);

static long futex(volatile int *word, long operation, int value)
{
	return syscall(__NR_futex, word, operation | FUTEX_PRIVATE_FLAG, (long)value, 0L);
}

static void start_thread(struct thread *thread)
{
	USDT_PROBE3(libc, pthread_start, thread, thread->start, thread->argument);
	thread->result = thread->start(thread->argument);
}

int pthread_create(pthread_t *result, const void *attributes, void *(*start)(void *), void *argument)
{
	struct thread *thread = calloc(1, sizeof(*thread));
	long tid;
	if (!thread)
		return ENOMEM;
	thread->start = start;
	thread->argument = argument;
	thread->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((unsigned long)thread->stack > -4096UL) {
		free(thread);
		return ENOMEM;
	}
	USDT_PROBE4(libc, pthread_create, thread, attributes, start, argument);
	tid = __clone(THREAD_FLAGS, thread->stack + STACK_SIZE, &thread->tid, &thread->tid, start_thread, thread);
	if (tid < 0) {
		munmap(thread->stack, STACK_SIZE);
		free(thread);
		return (int)-tid;
	}
	*result = thread;
	return 0;
}

int pthread_join(pthread_t thread, void **result)
{
	int tid;
	while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)))
		futex(&thread->tid, FUTEX_WAIT, tid);
	if (result)
		*result = thread->result;
	munmap(thread->stack, STACK_SIZE);
	free(thread);
	return 0;
}

static int compare_exchange(volatile int *word, int from, int to)
{
	__atomic_compare_exchange_n(word, &from, to, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	return from;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	if (!compare_exchange(&mutex->state, 0, 1))
		return 0;
	while (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE))
		futex(&mutex->state, FUTEX_WAIT, 2);
	return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	if (__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) == 2)
		futex(&mutex->state, FUTEX_WAKE, 1);
	return 0;
}

int pthread_setname(const char *name) { return (int)syscall(__NR_prctl, (long)PR_SET_NAME, name); }
