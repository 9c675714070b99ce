/* wc: how many lines, words and bytes it is given. */
#include "libc/libc.h"

static char buffer[4096];

int main(int argc, char **argv)
{
	unsigned long lines = 0, words = 0, bytes = 0;
	int inside = 0;
	long n, i;
	(void)argc;
	(void)argv;
	while ((n = read(0, buffer, sizeof(buffer))) > 0) {
		bytes += (unsigned long)n;
		for (i = 0; i < n; i++) {
			int blank = buffer[i] == ' ' || buffer[i] == '\n' || buffer[i] == '\t';
			lines += buffer[i] == '\n';
			words += !blank && !inside;
			inside = !blank;
		}
	}
	dprintf(1, "%lu %lu %lu\n", lines, words, bytes);
	return n < 0;
}
