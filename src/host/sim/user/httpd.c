/* httpd PORT REQUESTS [::]: answers "GET path" with the file; 0 requests: until it is killed. With :: it takes IPv6 and IPv4. */
#include "libc/libc.h"
#include "libc/sdt.h"

/* A request that was answered. The log is kept as long as the server runs. */
struct visit {
	struct visit *next;
	long bytes;
	char path[];
};

static char buffer[4096];
static struct visit *visits;

/* The connection and the path that was asked for. */
USDT_SEMAPHORE(httpd, request__start);
/* The connection, the path, how many bytes were sent, and the status. */
USDT_SEMAPHORE(httpd, request__done);

/* What follows "GET ", or NULL. */
static char *read_request(long fd)
{
	char *request = malloc(256), *path = NULL;
	long n = request ? syscall(__NR_recvfrom, fd, request, 255L, 0L, 0L, 0L) : -ENOMEM;
	if (n > 4) {
		request[n] = 0;
		path = starts_with(request, "GET ") ? strdup(request + 4) : NULL;
	}
	free(request);
	return path;
}

/* How much of the file was sent; -1 if there is none. */
static long send_file(long fd, const char *path)
{
	long file = open(path, O_RDONLY, 0), n, sent = 0;
	if (file < 0) {
		write(fd, "404\n", 4);
		return -1;
	}
	while ((n = read(file, buffer, sizeof(buffer))) > 0)
		sent += write(fd, buffer, (size_t)n);
	close(file);
	return sent;
}

static void log_visit(const char *path, long bytes)
{
	struct visit *visit = malloc(sizeof(*visit) + strlen(path) + 1);
	if (!visit)
		return;
	visit->bytes = bytes;
	strcpy(visit->path, path);
	visit->next = visits;
	visits = visit;
}

static void serve(long fd)
{
	char *path = read_request(fd);
	if (path) {
		long sent;
		USDT_PROBE2(httpd, request__start, fd, path);
		sent = send_file(fd, path);
		USDT_PROBE4(httpd, request__done, fd, path, sent < 0 ? 4L : sent, sent < 0 ? 404 : 200);
		log_visit(path, sent);
		free(path);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	long port = argc > 1 ? atoi(argv[1]) : 80, left = argc > 2 ? atoi(argv[2]) : 0;
	long listener = listen_on(argc > 3 ? AF_INET6 : AF_INET, (int)port), served = 0;
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
