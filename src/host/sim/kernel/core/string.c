/* Strings and memory. */
#include "mm.h"

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	const char *end = s;
	while (*end)
		end++;
	return (size_t)(end - s);
}

/* Always terminated; the result is the length of `from`, cut to what fits. */
size_t strscpy(char *to, const char *from, size_t size)
{
	size_t i = 0;
	if (!size)
		return 0;
	for (; i + 1 < size && from[i]; i++)
		to[i] = from[i];
	memset(to + i, 0, size - i);
	return i;
}

void printk(const char *text) { hypercall(HC_CONSOLE, (u64)text, strlen(text), 0, 0, 0); }
