/*
 * Times of libbpf from the bytes of an object to programs that the kernel could be given. One line of JSON: milliseconds of each round
 * by file, those of reading and parsing the kernel's types under "btf".
 *
 *     libbpf-load BTF ROUNDS OBJECT...
 *
 * Nothing reaches the kernel: bpf(2) calls end in harmless-bpf.h. Every round parses the kernel's types again, as bpf_object__load does.
 */
#define _GNU_SOURCE
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../test/oracle/harmless-bpf.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
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
