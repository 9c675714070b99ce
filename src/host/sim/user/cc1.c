/* cc1 SOURCE OBJECT [PASSES]: reads a file, works on it like a compiler, writes a result. Mostly computes. */
#include "libc/libc.h"

/* A name that the source uses. They are never given back: the process ends soon. */
struct symbol {
	struct symbol *next;
	unsigned long hash;
	char name[];
};

struct node {
	unsigned long value;
	struct symbol *symbol;
};

static char source[16384];
static unsigned long output[512];
static struct symbol *symbols[64];
static char headers[][24] __cold_data = { "/include/stdio.h", "/include/stdlib.h", "/include/missing.h" };

static unsigned long hash_identifier(const char *s, size_t n)
{
	unsigned long hash = 14695981039346656037UL;
	while (n--)
		hash = (hash ^ (unsigned char)*s++) * 1099511628211UL;
	return hash;
}

static int is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static size_t lex_token(const char *s, const char *end)
{
	const char *start = s;
	while (s < end && is_word(*s))
		s++;
	return s == start ? 1 : (size_t)(s - start);
}

static struct symbol *intern(const char *s, size_t n)
{
	unsigned long hash = hash_identifier(s, n);
	struct symbol *symbol;
	for (symbol = symbols[hash % 64]; symbol; symbol = symbol->next)
		if (symbol->hash == hash)
			return symbol;
	symbol = malloc(sizeof(*symbol) + n + 1);
	if (!symbol)
		die("cc1: symbols", -ENOMEM);
	symbol->hash = hash;
	memcpy(symbol->name, s, n);
	symbol->name[n] = 0;
	symbol->next = symbols[hash % 64];
	symbols[hash % 64] = symbol;
	return symbol;
}

static unsigned long evaluate(const char *s, size_t n, int level)
{
	unsigned long value = hash_identifier(s, n);
	if (level > 0)
		value ^= evaluate(s, n, level - 1) >> 3;
	return value;
}

static struct node *parse_expression(const char *s, size_t n)
{
	struct node *node = malloc(sizeof(*node));
	if (!node)
		die("cc1: nodes", -ENOMEM);
	node->symbol = is_word(*s) ? intern(s, n) : NULL;
	node->value = evaluate(s, n, 2);
	return node;
}

static void fold_constants(struct node *node)
{
	output[node->value % 512] += node->value >> 17;
	free(node);
}

static unsigned long parse_file(long size)
{
	const char *s = source, *end = source + size;
	unsigned long tokens = 0;
	while (s < end) {
		size_t n = lex_token(s, end);
		if (*s != ' ' && *s != '\n' && *s != '\t') {
			fold_constants(parse_expression(s, n));
			tokens++;
		}
		s += n;
	}
	return tokens;
}

static unsigned long allocate_registers(void)
{
	unsigned long best = 0;
	int i, j;
	for (i = 0; i < 512; i += 8)
		for (j = i; j < i + 8; j++)
			best = output[j] > best ? output[j] : best;
	return best;
}

static void optimize(int passes)
{
	while (passes-- > 0)
		output[passes & 511] ^= allocate_registers();
}

static long read_source(const char *path)
{
	long fd = open(path, O_RDONLY, 0), n;
	if (fd < 0)
		die(path, fd);
	n = read(fd, source, sizeof(source));
	close(fd);
	return n;
}

/* Headers may be missing, as they are. */
static void include_headers(void)
{
	char buffer[256];
	size_t i;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		long fd = open(headers[i], O_RDONLY, 0);
		if (fd < 0)
			continue;
		read(fd, buffer, sizeof(buffer));
		close(fd);
	}
}

static void write_object(const char *path)
{
	long fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		die(path, fd);
	write(fd, output, sizeof(output));
	close(fd);
}

int main(int argc, char **argv)
{
	long size;
	if (argc < 3)
		return 2;
	size = read_source(argv[1]);
	include_headers();
	parse_file(size);
	optimize(argc > 3 ? (int)atoi(argv[3]) : 20);
	write_object(argv[2]);
	return 0;
}
