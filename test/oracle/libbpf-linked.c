/*
 * Prints the instructions that libbpf hands to the kernel for every program of an object file, one JSON object a
 * line, in the shape of `kscope prog dump linked --json`. Nothing reaches the kernel: libbpf is linked statically, and
 * its bpf(2) calls end in harmless-bpf.h, which shows what BPF_PROG_LOAD is given.
 *
 *     libbpf-linked BTF|- OBJECT...        (-: the running kernel's BTF)
 *     libbpf-linked --version
 *
 * An object is loaded whole first. Programs that this does not reach, because they are not loaded by default or
 * because another one failed, are then loaded alone; one that fails alone gives {"program","section","file","error"}.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harmless-bpf.h"

#define MAX_PROGRAMS 512

static const char *btf_path;
static const char *file;
static struct bpf_object *object;
/* Programs of the current object that were printed, by position. */
static int printed[MAX_PROGRAMS];

/*
 * The map behind a descriptor. harmless_bpf() makes the descriptor a memory file that bears the name libbpf asked for,
 * which the kernel cuts to 15 characters.
 */
static const char *map_name(int fd)
{
	char path[64], target[128] = "";
	struct bpf_map *map;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0 || strncmp(target, "/memfd:", 7))
		return "?";
	*strchrnul(target, ' ') = 0;
	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);

		/* libbpf puts the object's name before .data and its kin. */
		if (!strncmp(name, target + 7, BPF_OBJ_NAME_LEN - 1))
			return bpf_map__is_internal(map) ? strchr(name, '.') : name;
	}
	return "?";
}

static void print_program(const struct bpf_program *program, const struct bpf_insn *insns, size_t count)
{
	const char *separator = "";

	printf("{\"program\":\"%s\",\"section\":\"%s\",\"file\":\"%s\",\"maps\":[", bpf_program__name(program),
	       bpf_program__section_name(program), file);
	for (size_t i = 0; i < count; i++) {
		const struct bpf_insn *insn = &insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE) {
			printf("%s{\"insn\":%zu,\"map\":\"%s\"}", separator, i, map_name(insn->imm));
			separator = ",";
		}
		i++;
	}
	printf("],\"insns\":\"");
	for (size_t i = 0; i < count; i++) {
		struct bpf_insn insn = insns[i];
		int is_wide = insn.code == (BPF_LD | BPF_IMM | BPF_DW);

		if (is_wide && (insn.src_reg == BPF_PSEUDO_MAP_FD || insn.src_reg == BPF_PSEUDO_MAP_VALUE))
			insn.imm = 0;
		for (size_t j = 0; j < sizeof(insn); j++)
			printf("%02x", ((unsigned char *)&insn)[j]);
	}
	printf("\"}\n");
}

/* Probes of kernel features load programs, too: only those of the object count. */
static void take_program(const union bpf_attr *attr)
{
	struct bpf_program *program;
	int position = 0;

	if (!object)
		return;
	bpf_object__for_each_program(program, object) {
		const struct bpf_insn *insns = bpf_program__insns(program);

		if ((unsigned long)insns == attr->insns && position < MAX_PROGRAMS && !printed[position]) {
			printed[position] = 1;
			print_program(program, insns, attr->insn_cnt);
		}
		position++;
	}
}

static struct bpf_object *open_object(const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = btf_path, .kconfig = getenv("KCONFIG"));
	struct bpf_object *opened = bpf_object__open_file(path, &options);

	return libbpf_get_error(opened) ? NULL : opened;
}

/* Loads the object with the program at that position alone; returns libbpf's answer. */
static int load_one(const char *path, int wanted)
{
	struct bpf_program *program;
	int position = 0, result;

	object = open_object(path);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, position++ == wanted);
	result = bpf_object__load(object);
	if (result && !printed[wanted]) {
		position = 0;
		bpf_object__for_each_program(program, object) {
			if (position++ == wanted)
				printf("{\"program\":\"%s\",\"section\":\"%s\",\"file\":\"%s\",\"error\":%d}\n",
				       bpf_program__name(program), bpf_program__section_name(program), file, result);
		}
	}
	bpf_object__close(object);
	object = NULL;
	return result;
}

static void dump(const char *path)
{
	struct bpf_program *program;
	char *copy = strdup(path);
	int programs = 0;

	file = basename(copy);
	memset(printed, 0, sizeof(printed));
	object = open_object(path);
	if (!object) {
		printf("{\"file\":\"%s\",\"error\":%d}\n", file, -errno);
		free(copy);
		return;
	}
	bpf_object__for_each_program(program, object)
		programs++;
	bpf_object__load(object);
	bpf_object__close(object);
	object = NULL;
	for (int i = 0; i < programs && i < MAX_PROGRAMS; i++)
		if (!printed[i])
			load_one(path, i);
	free(copy);
}

static int print_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

int main(int argc, char **argv)
{
	program_loaded = take_program;
	libbpf_set_print(getenv("LIBBPF_WARNINGS") ? print_warnings : NULL);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(libbpf_version_string());
		return 0;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: libbpf-linked BTF|- OBJECT...\n");
		return 2;
	}
	btf_path = strcmp(argv[1], "-") ? argv[1] : NULL;
	for (int i = 2; i < argc; i++)
		dump(argv[i]);
	return 0;
}
