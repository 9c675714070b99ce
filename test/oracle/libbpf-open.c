/*
 * What libbpf reads out of an object file, one JSON object for each: maps with their parameters and initial contents,
 * programs with their types. Nothing reaches the kernel: bpf(2) calls end in harmless-bpf.h.
 *
 *     KCONFIG=text libbpf-open OBJECT...
 *
 * An object that cannot be opened or loaded gives {"file","error"}.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harmless-bpf.h"

static void print_parameters(const struct bpf_map *map)
{
	printf("\"type\":%u,\"keySize\":%u,\"valueSize\":%u,\"maxEntries\":%u,\"flags\":%u,\"extra\":%llu,\"numaNode\":%u,\"keyTypeId\":%u,"
	       "\"valueTypeId\":%u",
	       bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
	       bpf_map__map_flags(map), (unsigned long long)bpf_map__map_extra(map), bpf_map__numa_node(map), bpf_map__btf_key_type_id(map),
	       bpf_map__btf_value_type_id(map));
}

/* In a table of functions libbpf keeps pointers to its programs: shown by name, and as 0 among the bytes. */
static void print_programs(struct bpf_object *object, unsigned char *table, size_t size)
{
	struct bpf_program *program;
	const char *separator = "";

	printf(",\"programs\":[");
	for (size_t at = 0; at + sizeof(program) <= size; at += sizeof(program)) {
		bpf_object__for_each_program(program, object) {
			if (memcmp(table + at, &program, sizeof(program)))
				continue;
			printf("%s[%zu,\"%s\"]", separator, at, bpf_program__name(program));
			memset(table + at, 0, sizeof(program));
			separator = ",";
			break;
		}
	}
	printf("]");
}

static void print_map(struct bpf_object *object, struct bpf_map *map)
{
	const char *name = bpf_map__name(map);
	struct bpf_map *inner = bpf_map__inner_map(map);
	size_t size = 0;
	unsigned char *value = bpf_map__initial_value(map, &size);

	printf("{\"map\":\"%s\",", bpf_map__is_internal(map) ? strchr(name, '.') : name);
	print_parameters(map);
	if (bpf_map__pin_path(map))
		printf(",\"pin\":\"%s\"", bpf_map__pin_path(map));
	if (inner) {
		printf(",\"inner\":{");
		print_parameters(inner);
		printf("}");
	}
	if (value && bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		print_programs(object, value, size);
	if (value) {
		printf(",\"contents\":\"");
		for (size_t i = 0; i < size; i++)
			printf("%02x", value[i]);
		printf("\"");
	}
	printf("}\n");
}

static void show(char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .kconfig = getenv("KCONFIG"));
	struct bpf_object *object = bpf_object__open_file(path, &options);
	struct bpf_program *program;
	struct bpf_map *map;
	int error = libbpf_get_error(object);

	if (error) {
		printf("{\"file\":\"%s\",\"error\":%d}\n", basename(path), error);
		return;
	}
	if (getenv("LOAD")) {
		error = bpf_object__load(object);
		if (error) {
			printf("{\"file\":\"%s\",\"error\":%d}\n", basename(path), error);
			bpf_object__close(object);
			return;
		}
	}
	printf("{\"file\":\"%s\"}\n", basename(path));
	bpf_object__for_each_map(map, object)
		print_map(object, map);
	bpf_object__for_each_program(program, object)
		printf("{\"program\":\"%s\",\"section\":\"%s\",\"type\":%d,\"expectedAttachType\":%d,\"autoload\":%s,"
		       "\"autoattach\":%s,\"insns\":%zu}\n",
		       bpf_program__name(program), bpf_program__section_name(program), bpf_program__type(program),
		       bpf_program__expected_attach_type(program), bpf_program__autoload(program) ? "true" : "false",
		       bpf_program__autoattach(program) ? "true" : "false", bpf_program__insn_cnt(program));
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	libbpf_set_print(NULL);
	for (int i = 1; i < argc; i++)
		show(argv[i]);
	return 0;
}
