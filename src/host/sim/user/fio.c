/* fio FILE PAGES SEED: writes a pattern, syncs, drops the cache, reads it back. Exits 1 if it differs. */
#include "lib.h"

static unsigned long block[512];

static unsigned long pattern(unsigned long seed, unsigned long page, unsigned long word)
{
	unsigned long x = seed * 6364136223846793005UL + page * 1442695040888963407UL + word;
	return x ^ x >> 29;
}

static void fill_block(unsigned long seed, unsigned long page)
{
	unsigned long i;
	for (i = 0; i < 512; i += 16)
		block[i] = pattern(seed, page, i);
}

static int check_block(unsigned long seed, unsigned long page)
{
	unsigned long i;
	for (i = 0; i < 512; i += 16)
		if (block[i] != pattern(seed, page, i))
			return 0;
	return 1;
}

static void write_pages(long fd, long pages, unsigned long seed)
{
	long page;
	for (page = 0; page < pages; page++) {
		fill_block(seed, (unsigned long)page);
		if (write(fd, block, sizeof(block)) != sizeof(block))
			die("fio: write", -EIO);
	}
}

static void verify_pages(long fd, long pages, unsigned long seed)
{
	long page;
	lseek(fd, 0, SEEK_SET);
	for (page = 0; page < pages; page++)
		if (read(fd, block, sizeof(block)) != sizeof(block) || !check_block(seed, (unsigned long)page))
			die("fio: verify", -EIO);
}

int main(int argc, char **argv)
{
	unsigned long seed;
	long fd, pages;
	if (argc < 4)
		return 2;
	pages = atoi(argv[2]);
	seed = (unsigned long)atoi(argv[3]);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		die(argv[1], fd);
	write_pages(fd, pages, seed);
	if (fsync(fd))
		die("fio: fsync", -EIO);
	syscall(__NR_fadvise64, fd, 0L, 0L, (long)POSIX_FADV_DONTNEED);
	verify_pages(fd, pages, seed);
	close(fd);
	return 0;
}
