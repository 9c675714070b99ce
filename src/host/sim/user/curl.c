/* curl PORT PATH [BYTES [HOST]]: fetches a file, from this machine if not told; fails if it is not as long as it should be. */
#include "libc/libc.h"

#define TRIES 50

static char request[128];
static char buffer[4096];

static long connect_address(const struct addrinfo *to)
{
	long fd = socket_of(to->ai_family), error;
	if (fd < 0)
		return fd;
	error = syscall(__NR_connect, fd, to->ai_addr, (long)to->ai_addrlen);
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* The server may still be starting. */
static long connect_patiently(const struct addrinfo *to)
{
	long fd = -ECONNREFUSED;
	int i;
	for (i = 0; i < TRIES && fd == -ECONNREFUSED; i++) {
		if (i)
			sleep_us(500);
		fd = connect_address(to);
	}
	return fd;
}

static long connect_by_name(const char *host, const char *port)
{
	struct addrinfo *found;
	long fd;
	if (getaddrinfo(host, port, NULL, &found)) {
		dprintf(2, "curl: no address of %s\n", host);
		return -ENOENT;
	}
	fd = connect_patiently(found);
	freeaddrinfo(found);
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
	fd = connect_by_name(argc > 4 ? argv[4] : "localhost", argv[1]);
	if (fd < 0)
		die("curl: connect", fd);
	total = fetch(fd, argv[2]);
	close(fd);
	return argc > 3 && total != atoi(argv[3]);
}
