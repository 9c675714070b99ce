/* find DIRECTORY: all names below it, each with its path, whatever is mounted there. */
#include "libc/libc.h"

#define PATH_SIZE 256
#define DENTS_SIZE 512

static char path[PATH_SIZE];

static void walk(long dir, size_t length);

static void visit(long dir, size_t length, const struct linux_dirent64 *entry)
{
	size_t size = strlen(entry->d_name);
	long below;
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return;
	if (length + size + 2 > PATH_SIZE)
		die(entry->d_name, -ENAMETOOLONG);
	path[length] = '/';
	memcpy(path + length + 1, entry->d_name, size + 1);
	puts(path);
	if (entry->d_type != DT_DIR)
		return;
	below = syscall(__NR_openat, dir, entry->d_name, (long)O_DIRECTORY, 0L);
	if (below < 0)
		die(path, below);
	walk(below, length + 1 + size);
	close(below);
}

/* `length` of the path so far is the directory's. */
static void walk(long dir, size_t length)
{
	char dents[DENTS_SIZE];
	long n, at;
	while ((n = syscall(__NR_getdents64, dir, dents, sizeof(dents))) > 0)
		for (at = 0; at < n; at += ((const struct linux_dirent64 *)(const void *)(dents + at))->d_reclen)
			visit(dir, length, (const void *)(dents + at));
}

int main(int argc, char **argv)
{
	size_t length = argc == 2 ? strlen(argv[1]) : 0;
	long dir;
	if (!length || length >= PATH_SIZE)
		return 2;
	memcpy(path, argv[1], length + 1);
	while (length && path[length - 1] == '/')
		path[--length] = 0;
	dir = open(argv[1], O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		die(argv[1], dir);
	walk(dir, length);
	return 0;
}
