/* ELF as the dynamic linker sees it. */
#pragma once
#include "../lib.h"

#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_PHDR 6
#define PF_X 1
#define PF_W 2
#define DT_NULL 0
#define DT_NEEDED 1
#define DT_PLTRELSZ 2
#define DT_STRTAB 5
#define DT_SYMTAB 6
#define DT_RELA 7
#define DT_RELASZ 8
#define DT_SONAME 14
#define DT_JMPREL 23
#define DT_GNU_HASH 0x6ffffef5
#define R_X86_64_64 1
#define R_X86_64_GLOB_DAT 6
#define R_X86_64_JUMP_SLOT 7
#define R_X86_64_RELATIVE 8
#define STB_WEAK 2

struct elf_header {
	unsigned char e_ident[16];
	unsigned short e_type, e_machine;
	unsigned int e_version;
	unsigned long e_entry, e_phoff, e_shoff;
	unsigned int e_flags;
	unsigned short e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct elf_segment {
	unsigned int p_type, p_flags;
	unsigned long p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

struct elf_dynamic {
	long d_tag;
	unsigned long d_val;
};

struct elf_symbol {
	unsigned int st_name;
	unsigned char st_info, st_other;
	unsigned short st_shndx;
	unsigned long st_value, st_size;
};

struct elf_rela {
	unsigned long r_offset, r_info;
	long r_addend;
};

/* One program or library in memory. */
struct object {
	const char *name;
	unsigned long base;
	const struct elf_dynamic *dynamic;
	const char *strings;
	const struct elf_symbol *symbols;
	const unsigned int *hash;
	const struct elf_rela *relocations, *plt_relocations;
	unsigned long relocations_size, plt_relocations_size;
};

/* map.c: maps the file, or ends the program. */
void _dl_map_object(struct object *object, const char *path);
/* What an object's dynamic section tells of it. */
void _dl_read_dynamic(struct object *object);
/* lookup.c: the address of a symbol in the first of `count` objects that has it; 0 if none. */
unsigned long _dl_lookup_symbol(const struct object *objects, int count, const char *name);
void _dl_relocate_object(const struct object *object, const struct object *objects, int count);
void _dl_fatal(const char *what, const char *name) __attribute__((noreturn));
