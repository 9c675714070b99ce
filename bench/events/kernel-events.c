// SPDX-License-Identifier: MIT
//
// How many records a second go from a program to a callback through the kernel's ring buffer: one thread runs the
// program with BPF_PROG_TEST_RUN, another consumes with libbpf. Nothing is attached, no perf event is opened.
//
//   kernel-events epoll|busy OBJECT PACKET MILLISECONDS
//
// Prints {"attempts":N,"consumed":N,"seconds":S}; attempts that found the ring full are not consumed.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { RUNS_PER_CALL = 50000 };

static atomic_long consumed;
static atomic_int stopping;

static void die(const char *what)
{
	fprintf(stderr, "kernel-events: %s\n", what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static int on_record(void *ctx, void *data, size_t size)
{
	consumed++;
	return 0;
}

static void *sleeping_consumer(void *ring)
{
	while (!stopping)
		ring_buffer__poll(ring, 50);
	return NULL;
}

static void *busy_consumer(void *ring)
{
	while (!stopping)
		ring_buffer__consume(ring);
	return NULL;
}

static long produce(int program, const void *packet, size_t size, double seconds)
{
	double end = now() + seconds;
	long attempts = 0;

	while (now() < end) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = size, .repeat = RUNS_PER_CALL);

		if (bpf_prog_test_run_opts(program, &run))
			die("BPF_PROG_TEST_RUN failed");
		attempts += RUNS_PER_CALL;
	}
	return attempts;
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned char packet[2048];
	void *consumer = NULL;
	void *(*body)(void *) = NULL;
	struct bpf_object *object;
	pthread_t thread;
	size_t size;
	FILE *file;
	int map;

	if (argc != 5)
		die("usage: kernel-events MODE OBJECT PACKET MILLISECONDS");
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	libbpf_set_print(silent);
	file = fopen(argv[3], "rb");
	if (!file)
		die("cannot read the packet");
	size = fread(packet, 1, sizeof(packet), file);
	object = bpf_object__open_file(argv[2], NULL);
	if (!object || bpf_object__load(object))
		die("cannot load the object");
	map = bpf_object__find_map_fd_by_name(object, "records");
	if (!strcmp(argv[1], "epoll"))
		consumer = ring_buffer__new(map, on_record, NULL, NULL), body = sleeping_consumer;
	else if (!strcmp(argv[1], "busy"))
		consumer = ring_buffer__new(map, on_record, NULL, NULL), body = busy_consumer;
	if (!consumer || pthread_create(&thread, NULL, body, consumer))
		die("cannot start the consumer");

	double begin = now();
	long attempts = produce(bpf_program__fd(bpf_object__next_program(object, NULL)), packet, size, atof(argv[4]) / 1000);
	double seconds = now() - begin;
	long delivered = consumed;

	stopping = 1;
	pthread_join(thread, NULL);
	printf("{\"attempts\":%ld,\"consumed\":%ld,\"seconds\":%f}\n", attempts, delivered, seconds);
	return 0;
}
