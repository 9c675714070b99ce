/* Mapping libraries. */
#include "ld.h"

#define PAGE 4096UL
#define HEADER_MAX 1024

static unsigned long page_down(unsigned long address) { return address & ~(PAGE - 1); }
static unsigned long page_up(unsigned long size) { return (size + PAGE - 1) & ~(PAGE - 1); }

static unsigned long map(unsigned long address, unsigned long size, long prot, long flags, long fd, unsigned long offset)
{
	return (unsigned long)syscall(__NR_mmap, address, size, prot, flags | MAP_PRIVATE, fd, offset);
}

static int is_error(unsigned long address) { return address > -PAGE; }

/* One segment over the room that the library was given. */
static void map_segment(unsigned long base, const struct elf_segment *segment, long fd, const char *path)
{
	unsigned long start = page_down(base + segment->p_vaddr);
	unsigned long size = page_up(base + segment->p_vaddr + segment->p_memsz) - start;
	long prot = PROT_READ | (segment->p_flags & PF_W ? PROT_WRITE : 0) | (segment->p_flags & PF_X ? PROT_EXEC : 0);
	unsigned long result;
	if (segment->p_filesz)
		result = map(start, size, prot, MAP_FIXED, fd, page_down(segment->p_offset));
	else
		result = map(start, size, prot, MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	if (is_error(result))
		_dl_fatal("cannot map ", path);
}

static unsigned long span(const struct elf_segment *segments, int count)
{
	unsigned long end = 0;
	int i;
	for (i = 0; i < count; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr + segments[i].p_memsz > end)
			end = segments[i].p_vaddr + segments[i].p_memsz;
	return page_up(end);
}

void _dl_map_object(struct object *object, const char *path)
{
	unsigned char bytes[HEADER_MAX];
	const struct elf_header *header = (const struct elf_header *)bytes;
	const struct elf_segment *segments;
	long fd = open(path, O_RDONLY, 0);
	int i;
	if (fd < 0)
		_dl_fatal("there is no ", path);
	if (read(fd, bytes, sizeof(bytes)) < (long)sizeof(bytes) || bytes[0] != 0x7f ||
	    header->e_phoff + header->e_phnum * sizeof(*segments) > sizeof(bytes))
		_dl_fatal("not a library: ", path);
	segments = (const struct elf_segment *)(bytes + header->e_phoff);
	object->base = map(0, span(segments, header->e_phnum), PROT_READ, 0, fd, 0);
	if (is_error(object->base))
		_dl_fatal("cannot map ", path);
	for (i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD && segments[i].p_memsz)
			map_segment(object->base, &segments[i], fd, path);
		else if (segments[i].p_type == PT_DYNAMIC)
			object->dynamic = (const struct elf_dynamic *)(object->base + segments[i].p_vaddr);
	}
	close(fd);
	if (!object->dynamic)
		_dl_fatal("no dynamic section in ", path);
}

void _dl_read_dynamic(struct object *object)
{
	const struct elf_dynamic *at;
	for (at = object->dynamic; at->d_tag != DT_NULL; at++) {
		unsigned long address = object->base + at->d_val;
		switch (at->d_tag) {
		case DT_STRTAB:
			object->strings = (const char *)address;
			break;
		case DT_SYMTAB:
			object->symbols = (const struct elf_symbol *)address;
			break;
		case DT_GNU_HASH:
			object->hash = (const unsigned int *)address;
			break;
		case DT_RELA:
			object->relocations = (const struct elf_rela *)address;
			break;
		case DT_RELASZ:
			object->relocations_size = at->d_val;
			break;
		case DT_JMPREL:
			object->plt_relocations = (const struct elf_rela *)address;
			break;
		case DT_PLTRELSZ:
			object->plt_relocations_size = at->d_val;
			break;
		}
	}
}
