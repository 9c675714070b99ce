/* The console: what is written to it is printed; it never has anything to read. */
#include "fs.h"
#include "uapi.h"

#define TTY_CHUNK 128

/* Carriage returns are dropped. The result is the length in `to`. */
size_t do_output_chars(char *to, const char *from, size_t n)
{
	size_t out = 0, i;
	for (i = 0; i < n; i++)
		if (from[i] != '\r')
			to[out++] = from[i];
	return out;
}

ssize_t n_tty_write(struct iov_iter *iter, size_t chunk)
{
	char raw[TTY_CHUNK], cooked[TTY_CHUNK];
	size_t n;
	if (iter->kernel)
		memcpy(raw, iter->buf, chunk);
	else if (_copy_from_user(raw, iter->buf, chunk))
		return -EFAULT;
	n = do_output_chars(cooked, raw, chunk);
	hypercall(HC_CONSOLE, (u64)cooked, n, 0, 0, 0);
	iter->buf += chunk;
	iter->count -= chunk;
	return (ssize_t)chunk;
}

ssize_t tty_write(struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t total = 0;
	(void)iocb;
	while (iter->count) {
		ssize_t n = n_tty_write(iter, min(iter->count, (size_t)TTY_CHUNK));
		if (n < 0)
			return total ? total : n;
		total += n;
	}
	return total;
}

ssize_t tty_read(struct kiocb *iocb, struct iov_iter *iter)
{
	(void)iocb;
	(void)iter;
	return 0;
}

/* Always ready: a read finds the end at once, a write is printed at once. */
__poll_t tty_poll(struct file *file, struct poll_table_struct *wait)
{
	(void)file;
	(void)wait;
	return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
}

const struct file_operations tty_fops = { .read_iter = tty_read, .write_iter = tty_write, .poll = tty_poll };
