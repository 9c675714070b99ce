/*
 * Times of libbpf over one BTF file: a line of JSON with milliseconds of reading and parsing it, of the same and finding the
 * last struct by name, and of deduplicating it.
 *
 *     libbpf-btf FILE NAME
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	double start, parsed, found, deduplicated;
	struct btf *btf;

	if (argc != 3)
		return 2;
	start = now();
	btf = btf__parse(argv[1], NULL);
	parsed = now();
	if (!btf || btf__find_by_name_kind(btf, argv[2], BTF_KIND_STRUCT) < 0)
		return 1;
	found = now();
	if (btf__dedup(btf, NULL))
		return 1;
	deduplicated = now();
	printf("{\"parse\":%f,\"find\":%f,\"dedup\":%f}\n", parsed - start, found - start, deduplicated - found);
	btf__free(btf);
	return 0;
}
