/* writers COUNT RECORDS SIZE: so many children write records of that size to the output, each of bytes of its own. */
#include "libc/libc.h"

static char record[4096];

static void write_records(int self, long records, size_t size)
{
	memset(record, 'a' + self, size);
	while (records-- > 0) {
		long n = write(1, record, size);
		if (n != (long)size)
			die("writers: write", n);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atoi(argv[1]) : 0, size = argc == 4 ? atoi(argv[3]) : 0;
	int i, status, failed = 0;
	if (count < 1 || size < 1 || size > (long)sizeof(record))
		return 2;
	for (i = 0; i < count; i++)
		if (fork() == 0)
			write_records(i, atoi(argv[2]), (size_t)size);
	while (wait4(-1, &status, 0) > 0)
		failed |= status;
	return failed != 0;
}
