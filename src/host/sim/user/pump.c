/*
 * pump BYTES CHUNK SEED: writes that many bytes of the seed's stream, up to CHUNK at a time.
 * pump - CHUNK SEED: reads that stream, up to CHUNK at a time, and says how many bytes came; it fails at the first one
 * that is another. pump records COUNT SIZE ID: writes records of SIZE bytes that all begin with ID. pump check SIZE: reads
 * records of that size, fails if one is not of one piece, and says how many there were.
 */
#include "libc/libc.h"

static unsigned char buffer[65536];

static unsigned long next(unsigned long x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static unsigned long seeded(const char *seed) { return (unsigned long)atoi(seed) * 0x9e3779b97f4a7c15UL | 1; }

/* Chunks are of every size up to the one that is asked for. */
static size_t piece(unsigned long x, long chunk) { return (size_t)(1 + (x >> 8) % (unsigned long)chunk); }

static int write_stream(long left, long chunk, unsigned long x)
{
	unsigned long sizes = x;
	while (left > 0) {
		size_t n, i, done = 0;
		sizes = next(sizes);
		n = piece(sizes, chunk);
		if ((long)n > left)
			n = (size_t)left;
		for (i = 0; i < n; i++) {
			x = next(x);
			buffer[i] = (unsigned char)x;
		}
		while (done < n) {
			long wrote = write(1, buffer + done, n - done);
			if (wrote < 0)
				die("pump: write", wrote);
			done += (size_t)wrote;
		}
		left -= (long)n;
	}
	return 0;
}

static int read_stream(long chunk, unsigned long x)
{
	unsigned long sizes = ~x, total = 0;
	long n, i;
	for (;;) {
		sizes = next(sizes);
		n = read(0, buffer, piece(sizes, chunk));
		if (n <= 0)
			break;
		for (i = 0; i < n; i++) {
			x = next(x);
			if (buffer[i] != (unsigned char)x)
				die("pump: byte", -(long)(total + (unsigned long)i));
		}
		total += (unsigned long)n;
	}
	if (n < 0)
		die("pump: read", n);
	dprintf(1, "%lu\n", total);
	return 0;
}

static int write_records(long count, long size, int id)
{
	memset(buffer, id, (size_t)size);
	while (count-- > 0) {
		long n = write(1, buffer, (size_t)size);
		if (n != size)
			die("pump: record", n);
	}
	return 0;
}

static long read_record(long size)
{
	long n, have = 0;
	while (have < size && (n = read(0, buffer + have, (size_t)(size - have))) > 0)
		have += n;
	return have;
}

static int check_records(long size)
{
	long n, i, count = 0;
	while ((n = read_record(size)) == size) {
		for (i = 1; i < n; i++)
			if (buffer[i] != buffer[0])
				die("pump: torn record", -count);
		count++;
	}
	dprintf(1, "%ld\n", count);
	return n != 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "check"))
		return check_records(atoi(argv[2]));
	if (argc == 5 && !strcmp(argv[1], "records"))
		return write_records(atoi(argv[2]), atoi(argv[3]), (int)atoi(argv[4]));
	if (argc != 4)
		return 2;
	if (!strcmp(argv[1], "-"))
		return read_stream(atoi(argv[2]), seeded(argv[3]));
	return write_stream(atoi(argv[1]), atoi(argv[2]), seeded(argv[3]));
}
