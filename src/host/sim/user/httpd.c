/* httpd PORT REQUESTS: answers "GET path" with the file; 0 requests: until it is killed. */
#include "lib.h"

static char request[256];
static char buffer[4096];

static long read_request(long fd)
{
	long n = syscall(__NR_recvfrom, fd, request, sizeof(request) - 1, 0L, 0L, 0L);
	request[n > 0 ? n : 0] = 0;
	return n;
}

static void send_file(long fd, const char *path)
{
	long file = open(path, O_RDONLY, 0), n;
	if (file < 0) {
		write(fd, "404\n", 4);
		return;
	}
	while ((n = read(file, buffer, sizeof(buffer))) > 0)
		write(fd, buffer, (size_t)n);
	close(file);
}

static void serve(long fd)
{
	if (read_request(fd) > 4 && starts_with(request, "GET "))
		send_file(fd, request + 4);
	close(fd);
}

int main(int argc, char **argv)
{
	long port = argc > 1 ? atoi(argv[1]) : 80, left = argc > 2 ? atoi(argv[2]) : 0;
	long listener = listen_on((int)port), served = 0;
	if (listener < 0)
		die("httpd: listen", listener);
	while (!left || served < left) {
		long fd = syscall(__NR_accept, listener, 0L, 0L);
		if (fd < 0)
			die("httpd: accept", fd);
		serve(fd);
		served++;
	}
	close(listener);
	return 0;
}
