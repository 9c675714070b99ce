/* Binding: symbols by GNU hash tables, and the relocations that ask for them. */
#include "ld.h"

static unsigned int gnu_hash(const char *name)
{
	unsigned int hash = 5381;
	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* The table: number of buckets, first hashed symbol, words and shift of the Bloom filter; filter, buckets, chains. */
static const struct elf_symbol *find_in(const struct object *object, const char *name, unsigned int hash)
{
	const unsigned int *table = object->hash;
	const unsigned long *bloom = (const unsigned long *)(table + 4);
	const unsigned int *buckets = (const unsigned int *)(bloom + table[2]);
	const unsigned int *chains = buckets + table[0];
	unsigned long word = bloom[hash / 64 % table[2]];
	unsigned int i;
	if (!(word >> hash % 64 & word >> (hash >> table[3]) % 64 & 1))
		return NULL;
	i = buckets[hash % table[0]];
	if (i < table[1])
		return NULL;
	for (;; i++) {
		unsigned int chain = chains[i - table[1]];
		if ((chain | 1) == (hash | 1) && !strcmp(object->strings + object->symbols[i].st_name, name))
			return &object->symbols[i];
		if (chain & 1)
			return NULL;
	}
}

unsigned long _dl_lookup_symbol(const struct object *objects, int count, const char *name)
{
	unsigned int hash = gnu_hash(name);
	int i;
	for (i = 0; i < count; i++) {
		const struct elf_symbol *symbol = objects[i].hash ? find_in(&objects[i], name, hash) : NULL;
		if (symbol && symbol->st_shndx)
			return objects[i].base + symbol->st_value;
	}
	return 0;
}

static unsigned long resolve(const struct object *object, unsigned long index, const struct object *objects, int count)
{
	const struct elf_symbol *symbol = &object->symbols[index];
	const char *name = object->strings + symbol->st_name;
	unsigned long address = _dl_lookup_symbol(objects, count, name);
	if (!address && symbol->st_info >> 4 != STB_WEAK)
		_dl_fatal("undefined symbol: ", name);
	return address;
}

static void relocate(const struct object *object, const struct elf_rela *rela, const struct object *objects, int count)
{
	unsigned long *where = (unsigned long *)(object->base + rela->r_offset);
	switch (rela->r_info & 0xffffffff) {
	case R_X86_64_RELATIVE:
		*where = object->base + (unsigned long)rela->r_addend;
		break;
	case R_X86_64_GLOB_DAT:
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_64:
		*where = resolve(object, rela->r_info >> 32, objects, count) + (unsigned long)rela->r_addend;
		break;
	default:
		_dl_fatal("unknown relocation in ", object->name);
	}
}

void _dl_relocate_object(const struct object *object, const struct object *objects, int count)
{
	unsigned long i;
	for (i = 0; i < object->relocations_size / sizeof(struct elf_rela); i++)
		relocate(object, &object->relocations[i], objects, count);
	for (i = 0; i < object->plt_relocations_size / sizeof(struct elf_rela); i++)
		relocate(object, &object->plt_relocations[i], objects, count);
}
