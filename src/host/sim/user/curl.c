/* curl PORT PATH [BYTES]: fetches a file from this machine; fails if it is not as long as it should be. */
#include "lib.h"

#define TRIES 50

static char request[128];
static char buffer[4096];

/* The server may still be starting. */
static long connect_patiently(int port)
{
	long fd = -ECONNREFUSED;
	int i;
	for (i = 0; i < TRIES && fd == -ECONNREFUSED; i++) {
		if (i)
			sleep_us(500);
		fd = connect_to(port);
	}
	return fd;
}

static long fetch(long fd, const char *path)
{
	long n, total = 0;
	memcpy(request, "GET ", 4);
	memcpy(request + 4, path, strlen(path) + 1);
	n = syscall(__NR_sendto, fd, request, strlen(request), 0L, 0L, 0L);
	if (n < 0)
		die("curl: send", n);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		total += n;
	return total;
}

int main(int argc, char **argv)
{
	long fd, total;
	if (argc < 3)
		return 2;
	fd = connect_patiently((int)atoi(argv[1]));
	if (fd < 0)
		die("curl: connect", fd);
	total = fetch(fd, argv[2]);
	close(fd);
	return argc > 3 && total != atoi(argv[3]);
}
