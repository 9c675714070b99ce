/* grep TEXT [FILE]...: lines that have the text. */
#include "libc/libc.h"

#define LINE_MAX 512

static char buffer[4096];
static char line[LINE_MAX];
static size_t length;
static int found;

static int has(const char *s, const char *text)
{
	for (; *s; s++)
		if (starts_with(s, text))
			return 1;
	return 0;
}

static void end_of_line(const char *text)
{
	line[length] = 0;
	length = 0;
	if (!has(line, text))
		return;
	found = 1;
	dprintf(1, "%s\n", line);
}

static void search(long fd, const char *text)
{
	long n, i;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < n; i++)
			if (buffer[i] == '\n')
				end_of_line(text);
			else if (length < LINE_MAX - 1)
				line[length++] = buffer[i];
	if (length)
		end_of_line(text);
}

int main(int argc, char **argv)
{
	int i;
	if (argc < 2)
		return 2;
	if (argc == 2)
		search(0, argv[1]);
	for (i = 2; i < argc; i++) {
		long fd = open(argv[i], O_RDONLY, 0);
		if (fd < 0)
			die(argv[i], fd);
		search(fd, argv[1]);
		close(fd);
	}
	return !found;
}
