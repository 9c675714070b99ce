/*
 * /init of an arm64 guest: asks its kernel, by kprobe_events, for a probe on instructions of its own text, and prints
 * what it answers. For every kind of instruction (its opcode bits, and all of it for system instructions) places are
 * tried until one is accepted, or MAX_TRIES were refused: a place can also be refused for what it is to others (an
 * exception table, a static key). Instructions behind an exclusive access are asked for apart, with that context.
 *
 *   KSCOPE-VERDICT <kind> <word> <errno> <place>
 *   KSCOPE-CONTEXT <word> <errno> <words before it, the nearest last>
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX_TRIES 12
/* mov x9, x30, which ftrace writes over the first nop of a function. */
#define FTRACE_ENTRY 0xaa1e03e9
#define CONTEXT 32
#define MAX_CONTEXTS 60
#define MAX_FUNCTIONS 65536
#define MAX_SEGMENTS 64

struct range {
	uint64_t start, end;
	char name[48];
};

static struct range blacklist[MAX_FUNCTIONS], functions[MAX_FUNCTIONS];
static int blacklisted, function_count;
static Elf64_Phdr segments[MAX_SEGMENTS];
static int segment_count, kcore, events;
/* Per kind: tries, or DONE. */
static uint8_t kinds[1 << 22];
#define DONE 0xff

static void fail(const char *what)
{
	printf("KSCOPE-ERROR %s: %s\n", what, strerror(errno));
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	exit(1);
}

static void read_blacklist(void)
{
	FILE *file = fopen("/debug/kprobes/blacklist", "r");
	char line[512];

	if (!file)
		fail("blacklist");
	while (blacklisted < MAX_FUNCTIONS && fgets(line, sizeof(line), file)) {
		struct range *range = &blacklist[blacklisted];

		if (sscanf(line, "0x%lx-0x%lx", &range->start, &range->end) == 2)
			blacklisted++;
	}
	fclose(file);
}

static int is_blacklisted(uint64_t address)
{
	for (int i = 0; i < blacklisted; i++)
		if (address >= blacklist[i].start && address < blacklist[i].end)
			return 1;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct range *)a)->start, y = ((const struct range *)b)->start;

	return x < y ? -1 : x > y;
}

/* Functions of the kernel proper between _stext and _etext, each up to where the next begins. */
static void read_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	uint64_t address, first = 0, last = 0;
	char line[512], type, name[256];
	int count = 0;

	if (!file)
		fail("kallsyms");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %c %255s", &address, &type, name) != 3 || strchr(line, '['))
			continue;
		if (!strcmp(name, "_stext"))
			first = address;
		if (!strcmp(name, "_etext"))
			last = address;
		if ((type == 't' || type == 'T') && count < MAX_FUNCTIONS) {
			functions[count].start = address;
			snprintf(functions[count++].name, sizeof(functions[0].name), "%.47s", name);
		}
	}
	fclose(file);
	qsort(functions, count, sizeof(functions[0]), by_start);
	for (int i = 0; i + 1 < count; i++) {
		struct range range = functions[i];

		range.end = functions[i + 1].start;
		if (range.start >= first && range.end <= last && range.end - range.start >= 4)
			functions[function_count++] = range;
	}
	if (!function_count)
		fail("no functions");
}

static void open_kcore(void)
{
	Elf64_Ehdr header;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &header, sizeof(header), 0) != sizeof(header))
		fail("kcore");
	segment_count = header.e_phnum < MAX_SEGMENTS ? header.e_phnum : MAX_SEGMENTS;
	if (pread(kcore, segments, sizeof(segments[0]) * segment_count, header.e_phoff) < 0)
		fail("kcore segments");
}

static int read_text(uint64_t address, void *words, size_t size)
{
	for (int i = 0; i < segment_count; i++) {
		Elf64_Phdr *s = &segments[i];

		if (s->p_type == PT_LOAD && address >= s->p_vaddr && address + size <= s->p_vaddr + s->p_memsz)
			return pread(kcore, words, size, s->p_offset + (address - s->p_vaddr)) == (ssize_t)size;
	}
	return 0;
}

static int ask(uint64_t address)
{
	char line[64];
	int length = sprintf(line, "p:k/e%d 0x%lx\n", events++, address);

	return write(3, line, length) == length ? 0 : errno;
}

/* 22 bits that tell kinds of instructions apart: opcode bits, or a hash of a whole system instruction. */
static uint32_t kind_of(uint32_t word)
{
	uint32_t group = word >> 24;

	if (group == 0xd5)
		return 1 << 21 | ((word >> 5) * 2654435761u) >> 11;
	if (group == 0xd4 || group == 0xd6 || group == 0xd7)
		return 1 << 21 | ((word & ~0x3e0u) * 2654435761u) >> 11;
	/* Modes of loads and stores are told by bits 11 and 10. */
	return (word >> 21) << 2 | (word >> 10 & 3);
}

static int is_exclusive(uint32_t word)
{
	return (word & 0x3f800000) == 0x08000000;
}

/* Also ldar, cas and their like, which share bits with exclusives: Linux took them for such before 6.15. */
static int looks_exclusive(uint32_t word)
{
	return (word & 0x3f000000) == 0x08000000;
}

static void visit(struct range *function)
{
	static uint32_t words[1 << 16];
	static int contexts;
	int count = (function->end - function->start) / 4, near = -1000, doubtful = -1000;

	if (count > 1 << 16 || is_blacklisted(function->start) || is_blacklisted(function->end - 4) || !read_text(function->start, words, 4 * count))
		return;
	/* kprobe_events takes only functions that ftrace can trace. */
	if (words[0] != FTRACE_ENTRY)
		return;
	for (int i = 0; i < count; i++) {
		uint64_t address = function->start + 4 * i;
		uint8_t *kind = &kinds[kind_of(words[i])];
		int behind = i - near <= CONTEXT, answer;

		if (behind && contexts < MAX_CONTEXTS && (i - near) % 5 == contexts % 5) {
			answer = ask(address);
			printf("KSCOPE-CONTEXT %08x %d", words[i], answer);
			for (int j = i < CONTEXT ? 0 : i - CONTEXT; j < i; j++)
				printf(" %08x", words[j]);
			printf("\n");
			contexts++;
		} else if (i - doubtful > CONTEXT && *kind < MAX_TRIES) {
			answer = ask(address);
			*kind = answer ? *kind + 1 : DONE;
			printf("KSCOPE-VERDICT %x %08x %d %s+0x%x\n", kind_of(words[i]), words[i], answer, function->name, 4 * i);
		}
		if (is_exclusive(words[i]))
			near = i;
		if (looks_exclusive(words[i]))
			doubtful = i;
	}
}

int main(void)
{
	struct utsname name;
	int fd;

	mkdir("/proc", 0755);
	mkdir("/debug", 0755);
	mkdir("/tracing", 0755);
	if (mount("proc", "/proc", "proc", 0, 0) || mount("d", "/debug", "debugfs", 0, 0) ||
	    mount("t", "/tracing", "tracefs", 0, 0))
		fail("mount");
	fd = open("/proc/sys/kernel/kptr_restrict", O_WRONLY);
	if (fd < 0 || write(fd, "0\n", 2) != 2)
		fail("kptr_restrict");
	fd = open("/tracing/kprobe_events", O_WRONLY | O_APPEND);
	if (fd < 0 || dup2(fd, 3) != 3)
		fail("kprobe_events");
	uname(&name);
	read_blacklist();
	read_symbols();
	open_kcore();
	printf("KSCOPE-KERNEL %s\n", name.release);
	/* Every third function first: what a kind is tried on should not all be neighbours. */
	for (int start = 0; start < 3; start++)
		for (int i = start; i < function_count; i += 3)
			visit(&functions[i]);
	printf("KSCOPE-END %d %d\n", function_count, events);
	fflush(stdout);
	sleep(1);
	reboot(RB_POWER_OFF);
	return 0;
}
