/*
 * Deduplicates BTF with libbpf. Reads cases from stdin: length and bytes of a base (length 0: none), length and bytes of a
 * BTF, lengths as 32-bit words. Prints a line for each: the number of types, void included, and the bytes of the result in hex;
 * or "error" and an errno.
 *
 *     libbpf-dedup
 *     libbpf-dedup --version
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *read_part(unsigned int *length)
{
	void *bytes;

	if (fread(length, sizeof(*length), 1, stdin) != 1)
		return NULL;
	bytes = malloc(*length + 1);
	if (fread(bytes, 1, *length, stdin) != *length) {
		fprintf(stderr, "input is cut short\n");
		exit(1);
	}
	return bytes;
}

static void answer(struct btf *base, const void *bytes, unsigned int length)
{
	struct btf *btf = base ? btf__new_split(bytes, length, base) : btf__new(bytes, length);
	const unsigned char *raw;
	unsigned int size;

	if (!btf || btf__dedup(btf, NULL)) {
		printf("error %d\n", errno);
		btf__free(btf);
		return;
	}
	raw = btf__raw_data(btf, &size);
	printf("%u ", btf__type_cnt(btf));
	for (unsigned int i = 0; i < size; i++)
		printf("%02x", raw[i]);
	printf("\n");
	btf__free(btf);
}

int main(int argc, char **argv)
{
	unsigned int base_length, length;
	void *base_bytes, *bytes;
	struct btf *base;

	libbpf_set_print(NULL);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(libbpf_version_string());
		return 0;
	}
	while ((base_bytes = read_part(&base_length)) && (bytes = read_part(&length))) {
		base = base_length ? btf__new(base_bytes, base_length) : NULL;
		answer(base, bytes, length);
		btf__free(base);
		free(base_bytes);
		free(bytes);
	}
	return 0;
}
