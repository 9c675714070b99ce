/*
 * names OPERATION...: does one system call after another on names and prints what each of them answered, a line each.
 * create:P excl:P open:P openl:P (no link) read:P write:P,TEXT unlink:P mkdir:P rmdir:P rename:A,B norep:A,B link:A,B
 * symlink:TEXT,P readlink:P stat:P lstat:P (type in hex, links, size) mount:TYPE,P bind:A,P umount:P lazy:P ls:P (names) device:P.
 */
#include "libc/libc.h"

static char buffer[1024];
static const char *first, *second;

static void split(char *word)
{
	char *s = strchr(word, ':');
	first = second = "";
	if (!s)
		return;
	*s = 0;
	first = s + 1;
	s = strchr(first, ',');
	if (!s)
		return;
	*s = 0;
	second = s + 1;
}

/* Opens and closes. */
static long touch(const char *path, int flags)
{
	long fd = open(path, flags, 0644);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static long read_file(const char *path)
{
	long fd = open(path, O_RDONLY, 0), n;
	if (fd < 0)
		return fd;
	n = read(fd, buffer, sizeof(buffer) - 1);
	close(fd);
	if (n > 0) {
		buffer[n] = 0;
		dprintf(1, "%s ", buffer);
	}
	return n;
}

static long write_file(const char *path, const char *text)
{
	long fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), n;
	if (fd < 0)
		return fd;
	n = write(fd, text, strlen(text));
	close(fd);
	return n;
}

static long status(const char *path, long nr)
{
	struct stat st;
	long error = syscall(nr, path, &st);
	if (!error)
		dprintf(1, "%x,%lu,%ld ", st.st_mode >> 12, st.st_nlink, st.st_size);
	return error;
}

static long device(const char *path)
{
	struct stat st;
	long error = syscall(__NR_stat, path, &st);
	return error ? error : (long)st.st_dev;
}

static long target(const char *path)
{
	long n = syscall(__NR_readlink, path, buffer, sizeof(buffer) - 1);
	if (n > 0) {
		buffer[n] = 0;
		dprintf(1, "%s ", buffer);
	}
	return n;
}

static long list(const char *path)
{
	long dir = open(path, O_RDONLY | O_DIRECTORY, 0), n, at, count = 0;
	if (dir < 0)
		return dir;
	while ((n = syscall(__NR_getdents64, dir, buffer, 96L)) > 0)
		for (at = 0; at < n;) {
			const struct linux_dirent64 *entry = (const void *)(buffer + at);
			at += entry->d_reclen;
			count++;
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
				dprintf(1, "%s ", entry->d_name);
		}
	close(dir);
	return n < 0 ? n : count;
}

static long change(const char *name)
{
	if (!strcmp(name, "unlink"))
		return unlink(first);
	if (!strcmp(name, "mkdir"))
		return syscall(__NR_mkdir, first, 0755L);
	if (!strcmp(name, "rmdir"))
		return syscall(__NR_rmdir, first);
	if (!strcmp(name, "rename"))
		return syscall(__NR_rename, first, second);
	if (!strcmp(name, "norep"))
		return syscall(__NR_renameat2, (long)AT_FDCWD, first, (long)AT_FDCWD, second, (long)RENAME_NOREPLACE);
	if (!strcmp(name, "link"))
		return syscall(__NR_link, first, second);
	if (!strcmp(name, "symlink"))
		return syscall(__NR_symlink, first, second);
	if (!strcmp(name, "mount"))
		return syscall(__NR_mount, "none", second, first, 0L, 0L);
	if (!strcmp(name, "bind"))
		return syscall(__NR_mount, first, second, 0L, (long)MS_BIND, 0L);
	if (!strcmp(name, "umount"))
		return syscall(__NR_umount, first, 0L);
	if (!strcmp(name, "lazy"))
		return syscall(__NR_umount, first, (long)MNT_DETACH);
	return -ENOSYS;
}

static long carry_out(const char *name)
{
	if (!strcmp(name, "create"))
		return touch(first, O_RDWR | O_CREAT);
	if (!strcmp(name, "excl"))
		return touch(first, O_RDWR | O_CREAT | O_EXCL);
	if (!strcmp(name, "open"))
		return touch(first, O_RDONLY);
	if (!strcmp(name, "openl"))
		return touch(first, O_RDONLY | O_NOFOLLOW);
	if (!strcmp(name, "read"))
		return read_file(first);
	if (!strcmp(name, "write"))
		return write_file(first, second);
	if (!strcmp(name, "stat"))
		return status(first, __NR_stat);
	if (!strcmp(name, "lstat"))
		return status(first, __NR_newlstat);
	if (!strcmp(name, "device"))
		return device(first);
	if (!strcmp(name, "readlink"))
		return target(first);
	if (!strcmp(name, "ls"))
		return list(first);
	return change(name);
}

int main(int argc, char **argv)
{
	int i;
	for (i = 1; i < argc; i++) {
		long result;
		split(argv[i]);
		result = carry_out(argv[i]);
		dprintf(1, "%s %ld\n", argv[i], result);
	}
	return 0;
}
