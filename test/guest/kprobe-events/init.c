/*
 * Init of a guest that is asked about kprobe_events: it writes each definition of /definitions, and tells on the second
 * serial port what the kernel answered. See ../kprobe-events.test.ts for the words of both files.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"

static FILE *out;
static char buffer[1 << 20];
static char path[4096];

static char *slurp(const char *name)
{
	int fd = open(name, O_RDONLY);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	while (length < sizeof(buffer) - 1 && (got = read(fd, buffer + length, sizeof(buffer) - 1 - length)) > 0)
		length += got;
	close(fd);
	buffer[length] = 0;
	return buffer;
}

/** errno of one write, 0 if it was taken whole. */
static int put(const char *name, const char *text, int flags)
{
	int fd = open(name, O_WRONLY | flags);
	int error = 0;

	if (fd < 0)
		return errno;
	if (*text != 0 && write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

/** Each line of a file behind a letter. */
static void tell_file(char letter, const char *name)
{
	char *text = slurp(name);
	char *line, *rest = text;

	while (text != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (*line != 0 || letter == 'F')
			fprintf(out, "%c%s%s\n", letter, *line == 0 ? "" : " ", line);
}

/** The events of kprobe_events: calls `each` with GROUP/EVENT. */
static void each_event(void (*each)(const char *event))
{
	char *text = slurp(TRACING "dynamic_events");
	char *copy = strdup(text == NULL ? "" : text);
	char *line, *rest = copy, last[256] = "";

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *event = strchr(line, ':');
		char name[256];

		if (event == NULL || (line[0] != 'p' && line[0] != 'r'))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(event + 1, " "), event + 1);
		if (strcmp(name, last) != 0)
			each(name);
		strcpy(last, name);
	}
	free(copy);
}

static void tell_format(const char *event)
{
	snprintf(path, sizeof(path), TRACING "events/%s/format", event);
	tell_file('F', path);
}

static void enable(const char *event)
{
	snprintf(path, sizeof(path), TRACING "events/%s/enable", event);
	fprintf(out, "N %s %d\n", event, put(path, "1", 0));
}

static void disable(const char *event)
{
	snprintf(path, sizeof(path), TRACING "events/%s/enable", event);
	put(path, "0", 0);
}

static void workload(int on)
{
	static char into[64];
	int fd;

	write(on, "1", 1);
	fd = syscall(SYS_openat, AT_FDCWD, "/probe/hello.txt", O_RDONLY, 0);
	syscall(SYS_read, fd, into, 16);
	syscall(SYS_close, fd);
	write(on, "0", 1);
}

static void hit(void)
{
	int on;

	put(TRACING "tracing_on", "0", 0);
	put(TRACING "trace", "", O_TRUNC);
	on = open(TRACING "tracing_on", O_WRONLY);
	each_event(enable);
	workload(on);
	close(on);
	each_event(disable);
	put(TRACING "tracing_on", "1", 0);
	tell_file('H', TRACING "trace");
	put(TRACING "trace", "", O_TRUNC);
}

static void clear(void)
{
	put(TRACING "kprobe_events", "", O_TRUNC);
	put(TRACING "error_log", "", O_TRUNC);
}

/** Address of the first symbol of that name. */
static unsigned long address_of(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address = 0;
	char line[512], found[128];

	while (address == 0 && fgets(line, sizeof(line), file) != NULL) {
		unsigned long candidate;

		if (sscanf(line, "%lx %*c %127s", &candidate, found) == 2 && strcmp(found, name) == 0)
			address = candidate;
	}
	fclose(file);
	return address;
}

/** `{NAME}` in a definition stands for the address of a symbol. */
static void define(const char *line)
{
	char text[8192];
	const char *open = strchr(line, '{');

	if (open != NULL) {
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(open + 1, "}"), open + 1);
		snprintf(text, sizeof(text), "%.*s0x%lx%s\n", (int)(open - line), line, address_of(name), strchr(open, '}') + 1);
	} else {
		snprintf(text, sizeof(text), "%s\n", line);
	}
	fprintf(out, "W %s\n", line);
	fprintf(out, "E %d\n", put(TRACING "kprobe_events", text, O_APPEND));
	tell_file('L', TRACING "error_log");
	put(TRACING "error_log", "", O_TRUNC);
}

/** Reads kernel memory through /proc/kcore; 0 if it could. */
static int peek(unsigned long address, void *bytes, unsigned long length)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;
	int fd = open("/proc/kcore", O_RDONLY);
	int result = -1;

	if (fd < 0 || read(fd, &head, sizeof(head)) != sizeof(head))
		return result;
	for (int i = 0; i < head.e_phnum && result != 0; i++) {
		pread(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part));
		if (part.p_type != PT_LOAD || address < part.p_vaddr || address + length > part.p_vaddr + part.p_memsz)
			continue;
		if (pread(fd, bytes, length, part.p_offset + address - part.p_vaddr) == (ssize_t)length)
			result = 0;
	}
	close(fd);
	return result;
}

/** `M ADDRESS HEX`. */
static void dump(unsigned long address, unsigned long length)
{
	static unsigned char bytes[65536];

	if (length > sizeof(bytes) || peek(address, bytes, length) != 0)
		return;
	fprintf(out, "M %lx ", address);
	for (unsigned long i = 0; i < length; i++)
		fprintf(out, "%02x", bytes[i]);
	fputs("\n", out);
}

/** `S ADDRESS TYPE NAME SIZE` of every symbol called NAME; the size reaches to the next address. */
static void tell_symbol(const char *name, int with_bytes)
{
	static struct { unsigned long address; char type, name[128]; } *all;
	static size_t count;

	if (all == NULL) {
		FILE *file = fopen("/proc/kallsyms", "r");
		char line[512];

		all = malloc(sizeof(*all) * 200000);
		while (fgets(line, sizeof(line), file) != NULL && count < 200000)
			if (strchr(line, '[') == NULL &&
			    sscanf(line, "%lx %c %127s", &all[count].address, &all[count].type, all[count].name) == 3)
				count++;
		fclose(file);
	}
	for (size_t i = 0; i < count; i++) {
		size_t next = i;

		if (strcmp(all[i].name, name) != 0)
			continue;
		while (next < count && all[next].address <= all[i].address)
			next++;
		if (next == count)
			next = i;
		fprintf(out, "S %lx %c %s %lx\n", all[i].address, all[i].type, name, all[next].address - all[i].address);
		if (with_bytes)
			dump(all[i].address, all[next].address - all[i].address);
	}
}

/** Bytes at `count` pointers that stand at a symbol. */
static void tell_pointers(const char *words)
{
	unsigned long address, pointer;
	char name[128];
	int count = 0;

	sscanf(words, "%127s %d", name, &count);
	address = address_of(name);
	for (int i = 0; i < count; i++)
		if (peek(address + 8 * i, &pointer, sizeof(pointer)) == 0)
			dump(pointer, 32);
}

static void obey(char *line)
{
	if (strncmp(line, "=symbol ", 8) == 0)
		tell_symbol(line + 8, 0);
	else if (strncmp(line, "=bytes ", 7) == 0)
		tell_symbol(line + 7, 1);
	else if (strncmp(line, "=pointers ", 10) == 0)
		tell_pointers(line + 10);
	else if (strcmp(line, "=hit") == 0)
		hit();
	else
		define(line);
}

int main(void)
{
	struct utsname name;
	struct termios raw;
	char *line, *rest, *definitions;
	int inside = 0, fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	put("/proc/sys/kernel/kptr_restrict", "0", 0);
	fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	tcgetattr(fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	out = fdopen(fd, "w");
	uname(&name);
	fprintf(out, "R %s\n", name.release);
	definitions = strdup(slurp("/definitions"));
	for (rest = definitions; (line = strsep(&rest, "\n")) != NULL;) {
		if (strncmp(line, "//", 2) == 0)
			continue;
		if (*line != 0) {
			if (!inside)
				fputs("C\n", out);
			inside = 1;
			obey(line);
			continue;
		}
		if (inside) {
			tell_file('D', TRACING "kprobe_events");
			each_event(tell_format);
		}
		inside = 0;
		clear();
	}
	fputs("Z\n", out);
	fflush(out);
	tcdrain(fd);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
