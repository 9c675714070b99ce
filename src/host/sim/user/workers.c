/* workers THREADS ROUNDS: threads that take memory, fill it, and count together; fails unless all was counted. */
#include "libc/libc.h"

#define THREADS_MAX 16

struct worker {
	pthread_t thread;
	long number;
};

static pthread_mutex_t lock;
static struct worker workers[THREADS_MAX];
static long rounds, counted;

static void count(long n)
{
	pthread_mutex_lock(&lock);
	counted += n;
	pthread_mutex_unlock(&lock);
}

static long fill(long number, long round)
{
	size_t size = (size_t)(16 + (number * 7 + round) % 200);
	unsigned char *block = malloc(size);
	if (!block)
		return 0;
	memset(block, (int)number, size);
	count(block[size - 1] == (unsigned char)number);
	free(block);
	return 1;
}

static void *work(void *argument)
{
	struct worker *me = argument;
	char name[16];
	long round, done = 0;
	snprintf(name, sizeof(name), "worker/%ld", me->number);
	pthread_setname(name);
	for (round = 0; round < rounds; round++)
		done += fill(me->number, round);
	return (void *)done;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atoi(argv[1]) : 2, started = 0, done = 0, i;
	rounds = argc > 2 ? atoi(argv[2]) : 10;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	for (i = 0; i < n; i++) {
		workers[i].number = i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			break;
		started++;
	}
	for (i = 0; i < started; i++) {
		void *result;
		pthread_join(workers[i].thread, &result);
		done += (long)result;
	}
	printf("%ld threads counted %ld of %ld\n", started, counted, n * rounds);
	return counted != n * rounds || done != counted;
}
