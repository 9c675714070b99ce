/*
 * The dynamic linker, ld.so: maps the libraries that a program needs, binds every symbol, and starts it. It uses nothing of
 * the libraries, and has no relocations of its own.
 */
#include "ld.h"

#define OBJECTS_MAX 8
#define PATH_MAX 64

/* Breadth first, the program itself first: the order in which symbols are looked for. */
static struct object objects[OBJECTS_MAX];
static char paths[OBJECTS_MAX][PATH_MAX];
static int object_count;

struct startup {
	const struct elf_segment *phdrs;
	unsigned long phnum;
	unsigned long entry;
};

void _dl_fatal(const char *what, const char *name)
{
	write(2, "ld.so: ", 7);
	write(2, what, strlen(what));
	write(2, name, strlen(name));
	write(2, "\n", 1);
	syscall(__NR_exit_group, 127L);
	__builtin_unreachable();
}

static void read_auxv(const unsigned long *stack, struct startup *startup)
{
	const unsigned long *at = stack + 1 + stack[0] + 1;
	while (*at)
		at++;
	for (at++; at[0] != AT_NULL; at += 2) {
		if (at[0] == AT_PHDR)
			startup->phdrs = (const struct elf_segment *)at[1];
		else if (at[0] == AT_PHNUM)
			startup->phnum = at[1];
		else if (at[0] == AT_ENTRY)
			startup->entry = at[1];
	}
}

/* The kernel has mapped the program; where, its own headers tell. */
static void find_program(struct object *program, const struct startup *startup)
{
	unsigned long i;
	for (i = 0; i < startup->phnum; i++)
		if (startup->phdrs[i].p_type == PT_PHDR)
			program->base = (unsigned long)startup->phdrs - startup->phdrs[i].p_vaddr;
	for (i = 0; i < startup->phnum; i++)
		if (startup->phdrs[i].p_type == PT_DYNAMIC)
			program->dynamic = (const struct elf_dynamic *)(program->base + startup->phdrs[i].p_vaddr);
	program->name = "the program";
	if (!program->dynamic)
		_dl_fatal("no dynamic section in ", program->name);
	_dl_read_dynamic(program);
}

static void load_library(const char *name)
{
	char *path = paths[object_count];
	struct object *object = &objects[object_count];
	int i;
	for (i = 1; i < object_count; i++)
		if (!strcmp(objects[i].name, name))
			return;
	if (object_count == OBJECTS_MAX)
		_dl_fatal("too many libraries: ", name);
	if (strlen(name) + 6 > PATH_MAX)
		_dl_fatal("the name is too long: ", name);
	memcpy(path, "/lib/", 5);
	memcpy(path + 5, name, strlen(name) + 1);
	object->name = path + 5;
	_dl_map_object(object, path);
	_dl_read_dynamic(object);
	object_count++;
}

static void load_needed(const struct object *object)
{
	const struct elf_dynamic *at;
	for (at = object->dynamic; at->d_tag != DT_NULL; at++)
		if (at->d_tag == DT_NEEDED)
			load_library(object->strings + at->d_val);
}

/* Where to go on. */
unsigned long _dl_start(const unsigned long *stack)
{
	struct startup startup = { NULL, 0, 0 };
	int i;
	read_auxv(stack, &startup);
	find_program(&objects[0], &startup);
	object_count = 1;
	for (i = 0; i < object_count; i++)
		load_needed(&objects[i]);
	for (i = object_count - 1; i >= 0; i--)
		_dl_relocate_object(&objects[i], objects, object_count);
	return startup.entry;
}
