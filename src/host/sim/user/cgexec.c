/* cgexec GROUP COMMAND ARGUMENT...: goes into the control group, whose directory is given, and becomes the command. */
#include "libc/libc.h"

int main(int argc, char **argv)
{
	char procs[96], path[64] = "/bin/";
	long fd, error;
	if (argc < 3 || strlen(argv[1]) > 70 || strlen(argv[2]) > 50)
		return 2;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", argv[1]);
	fd = open(procs, O_WRONLY, 0);
	if (fd < 0)
		die(procs, fd);
	error = write(fd, "0\n", 2);
	if (error != 2)
		die(procs, error);
	close(fd);
	memcpy(path + 5, argv[2], strlen(argv[2]) + 1);
	die(path, execve(path, argv + 2, environ));
	return 1;
}
