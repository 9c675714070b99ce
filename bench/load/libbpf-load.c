/*
 * Times of libbpf from the bytes of an object to programs that the kernel could be given. One line of JSON: milliseconds of each round
 * by file, those of reading and parsing the kernel's types under "btf".
 *
 *     libbpf-load BTF ROUNDS OBJECT...
 *
 * Nothing reaches the kernel: libbpf is linked statically with --wrap=syscall, and its bpf(2) calls end below, which says
 * yes to all of them. Every round parses the kernel's types again, as bpf_object__load does.
 */
#define _GNU_SOURCE
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* libbpf maps the memory of data sections. */
static long make_map(const union bpf_attr *attr)
{
	int fd = memfd_create("map", MFD_CLOEXEC);

	return fd < 0 || ftruncate(fd, (long)attr->value_size * attr->max_entries) ? -1 : fd;
}

static long yes(int command, const union bpf_attr *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
	case BPF_BTF_LOAD:
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	case BPF_MAP_CREATE:
		return make_map(attr);
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_PROG_BIND_MAP:
		return 0;
	default:
		errno = ENOENT;
		return -1;
	}
}

long __real_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return number == __NR_bpf ? yes((int)a[0], (const union bpf_attr *)a[1]) : __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static char *read_file(const char *path, long *size)
{
	FILE *in = fopen(path, "rb");
	char *bytes;

	if (!in)
		return NULL;
	fseek(in, 0, SEEK_END);
	*size = ftell(in);
	rewind(in);
	bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, in) != (size_t)*size)
		return NULL;
	fclose(in);
	return bytes;
}

/* Milliseconds, or negative where libbpf refuses. */
static double load(const char *bytes, long size, const char *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = btf);
	double start = now(), taken;
	struct bpf_object *object = bpf_object__open_mem(bytes, size, &options);
	struct bpf_program *program;
	int result;

	if (libbpf_get_error(object))
		return -1;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, 1);
	result = bpf_object__load(object);
	taken = now() - start;
	bpf_object__close(object);
	return result ? -1 : taken;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

int main(int argc, char **argv)
{
	int rounds;

	if (argc < 4)
		return 2;
	libbpf_set_print(quiet);
	rounds = atoi(argv[2]);
	printf("{\"btf\":[");
	for (int i = 0; i < rounds; i++) {
		double start = now();
		struct btf *btf = btf__parse(argv[1], NULL);

		if (!btf)
			return 1;
		printf("%s%f", i ? "," : "", now() - start);
		btf__free(btf);
	}
	printf("]");
	for (int at = 3; at < argc; at++) {
		long size;
		char *bytes = read_file(argv[at], &size);

		if (!bytes)
			return 1;
		printf(",\"%s\":[", argv[at]);
		for (int i = 0; i < rounds; i++)
			printf("%s%f", i ? "," : "", load(bytes, size, argv[1]));
		printf("]");
		free(bytes);
	}
	printf("}\n");
	return 0;
}
