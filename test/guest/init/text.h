/* Lines in and out of the console, and the little of a C library that the compiler asks for. */
#pragma once
#include "sys.h"

void *memset(void *to, int byte, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++) ((volatile char *)to)[i] = (char)byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

static unsigned long length_of(const char *text)
{
	unsigned long n = 0;
	while (text[n]) n++;
	return n;
}

static int starts_with(const char *text, const char *prefix)
{
	while (*prefix) if (*text++ != *prefix++) return 0;
	return 1;
}

static void write_all(int fd, const char *bytes, unsigned long size)
{
	while (size > 0) {
		word n = sys(NR_write, fd, bytes, size, 0);
		if (n <= 0) return;
		bytes += n;
		size -= (unsigned long)n;
	}
}

/* One line is one write, so that lines of the kernel come between lines, never into them. */
static char line_out[512];
static unsigned long line_length;

static void put(const char *text)
{
	while (*text && line_length < sizeof line_out - 1) line_out[line_length++] = *text++;
}

static void put_number(word value)
{
	char digits[24];
	int i = sizeof digits - 1;
	unsigned long rest = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;
	digits[i] = 0;
	do digits[--i] = (char)('0' + rest % 10); while (rest /= 10);
	if (value < 0) digits[--i] = '-';
	put(digits + i);
}

static void end_line(void)
{
	line_out[line_length++] = '\n';
	write_all(1, line_out, line_length);
	line_length = 0;
}

static void say(const char *text)
{
	put(text);
	end_line();
}

/* What tests read: `KSCOPE-COUNTS name value`. */
static void count(const char *name, word value)
{
	put("KSCOPE-COUNTS ");
	put(name);
	put(" ");
	put_number(value);
	end_line();
}

/* The next word of `*text` as a number, `otherwise` where there is none. */
static word number(const char **text, word otherwise)
{
	word value = 0;
	const char *at = *text;
	while (*at == ' ') at++;
	if (*at < '0' || *at > '9') return otherwise;
	while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
	*text = at;
	return value;
}

/* Cuts the next word off `*text` and ends it with a NUL. */
static char *next_word(char **text)
{
	char *at = *text;
	while (*at == ' ') at++;
	char *word_start = at;
	while (*at && *at != ' ') at++;
	if (*at) *at++ = 0;
	*text = at;
	return word_start;
}
