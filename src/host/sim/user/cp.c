/* cp FROM TO: copies a file through a buffer that is new memory for the kernel. */
#include "lib.h"

static char buffer[4096 * 4];

static long copy_block(long from, long to)
{
	long n = read(from, buffer, sizeof(buffer)), done = 0;
	while (done < n) {
		long written = write(to, buffer + done, (size_t)(n - done));
		if (written <= 0)
			die("cp: write", written);
		done += written;
	}
	return n;
}

int main(int argc, char **argv)
{
	long from, to;
	if (argc < 3)
		return 2;
	from = open(argv[1], O_RDONLY, 0);
	if (from < 0)
		die(argv[1], from);
	to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (to < 0)
		die(argv[2], to);
	while (copy_block(from, to) > 0)
		;
	close(to);
	close(from);
	return 0;
}
