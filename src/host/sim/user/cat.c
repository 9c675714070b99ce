/* cat [FILE]...: prints files, or what it is given. */
#include "lib.h"

static char buffer[8192];

static void copy_out(long fd)
{
	long n;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)n) != n)
			exit(1);
	if (n < 0)
		die("cat: read", n);
}

int main(int argc, char **argv)
{
	int i;
	if (argc == 1)
		copy_out(0);
	for (i = 1; i < argc; i++) {
		long fd = open(argv[i], O_RDONLY, 0);
		if (fd < 0)
			die(argv[i], fd);
		copy_out(fd);
		close(fd);
	}
	return 0;
}
