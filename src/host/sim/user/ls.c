/* ls [-l] [PATH]...: names in directories, in their order; -l: with type, links and size. */
#include "libc/libc.h"

static char buffer[1024];
static int is_long;

static const char *type_name(unsigned int type)
{
	static const char *const names[16] = { [DT_FIFO] = "fifo", [DT_CHR] = "chr", [DT_DIR] = "dir",
					       [DT_REG] = "reg", [DT_LNK] = "lnk", [DT_SOCK] = "sock" };
	return type < 16 && names[type] ? names[type] : "?";
}

static void show(long dir, const struct linux_dirent64 *entry)
{
	struct stat st;
	if (!is_long) {
		dprintf(1, "%s\n", entry->d_name);
		return;
	}
	memset(&st, 0, sizeof(st));
	syscall(__NR_newfstatat, dir, entry->d_name, &st, (long)AT_SYMLINK_NOFOLLOW);
	dprintf(1, "%s %lu %ld %s\n", type_name(entry->d_type), st.st_nlink, st.st_size, entry->d_name);
}

static void list(const char *path)
{
	long dir = open(path, O_RDONLY | O_DIRECTORY, 0), n, at;
	if (dir < 0)
		die(path, dir);
	while ((n = syscall(__NR_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n;) {
			const struct linux_dirent64 *entry = (const void *)(buffer + at);
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
				show(dir, entry);
			at += entry->d_reclen;
		}
	if (n < 0)
		die(path, n);
	close(dir);
}

int main(int argc, char **argv)
{
	int i = 1;
	if (argc > 1 && !strcmp(argv[1], "-l")) {
		is_long = 1;
		i++;
	}
	if (i == argc)
		list("/");
	for (; i < argc; i++)
		list(argv[i]);
	return 0;
}
