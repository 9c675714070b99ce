/* mount [-r] [-d DATA] TYPE SOURCE DIRECTORY; mount -b DIRECTORY DIRECTORY: the one tree at a second place. */
#include "libc/libc.h"

int main(int argc, char **argv)
{
	const char *type = NULL, *data = NULL;
	long flags = 0, error;
	argv++;
	for (; *argv && **argv == '-'; argv++) {
		if (!strcmp(*argv, "-r"))
			flags |= MS_RDONLY;
		else if (!strcmp(*argv, "-b"))
			flags |= MS_BIND;
		else if (!strcmp(*argv, "-d") && argv[1])
			data = *++argv;
	}
	if (!(flags & MS_BIND) && *argv)
		type = *argv++;
	if (!argv[0] || !argv[1])
		return 2;
	error = syscall(__NR_mount, argv[0], argv[1], type, flags, data);
	if (error)
		die(argv[1], error);
	return 0;
}
