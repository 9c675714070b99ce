/* cat FILE...: prints files. */
#include "lib.h"

static char buffer[8192];

static void copy_out(const char *path)
{
	long fd = open(path, O_RDONLY, 0), n;
	if (fd < 0)
		die(path, fd);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		write(1, buffer, (size_t)n);
	close(fd);
}

int main(int argc, char **argv)
{
	int i;
	for (i = 1; i < argc; i++)
		copy_out(argv[i]);
	return 0;
}
