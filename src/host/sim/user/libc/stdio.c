/* Formatted output. Nothing is buffered: each call is one write. */
#include "libc.h"

#define LINE_MAX 512

struct output {
	char *to;
	size_t room;
	size_t length;
};

struct conversion {
	char kind;
	int is_long;
	int zeros;
	unsigned int width;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->room)
		out->to[out->length] = c;
	out->length++;
}

static void put_padded(struct output *out, const struct conversion *how, const char *text, size_t length)
{
	size_t i;
	for (i = length; i < how->width; i++)
		put(out, how->zeros ? '0' : ' ');
	for (i = 0; i < length; i++)
		put(out, text[i]);
}

static void put_number(struct output *out, const struct conversion *how, unsigned long value, int negative)
{
	unsigned long base = how->kind == 'x' || how->kind == 'p' ? 16 : 10;
	char digits[24];
	char *at = digits + sizeof(digits);
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		*--at = '-';
	if (how->kind == 'p') {
		*--at = 'x';
		*--at = '0';
	}
	put_padded(out, how, at, (size_t)(digits + sizeof(digits) - at));
}

static const char *read_conversion(const char *format, struct conversion *how)
{
	*how = (struct conversion){ .zeros = *format == '0' };
	for (; *format >= '0' && *format <= '9'; format++)
		how->width = how->width * 10 + (unsigned int)(*format - '0');
	for (; *format == 'l'; format++)
		how->is_long = 1;
	how->kind = *format;
	return *format ? format + 1 : format;
}

static void put_signed(struct output *out, const struct conversion *how, long value)
{
	put_number(out, how, value < 0 ? -(unsigned long)value : (unsigned long)value, value < 0);
}

static void convert(struct output *out, const struct conversion *how, __builtin_va_list *args)
{
	const char *text;
	switch (how->kind) {
	case 's':
		text = __builtin_va_arg(*args, const char *);
		text = text ? text : "(null)";
		put_padded(out, how, text, strlen(text));
		return;
	case 'c':
		put(out, (char)__builtin_va_arg(*args, int));
		return;
	case 'd':
	case 'i':
		put_signed(out, how, how->is_long ? __builtin_va_arg(*args, long) : __builtin_va_arg(*args, int));
		return;
	case 'p':
		put_number(out, how, __builtin_va_arg(*args, unsigned long), 0);
		return;
	case 'u':
	case 'x':
		put_number(out, how, how->is_long ? __builtin_va_arg(*args, unsigned long) : __builtin_va_arg(*args, unsigned int),
			   0);
		return;
	default:
		put(out, how->kind);
	}
}

static size_t format_into(char *to, size_t size, const char *format, __builtin_va_list *args)
{
	struct output out = { .to = to, .room = size };
	while (*format) {
		struct conversion how;
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = read_conversion(format + 1, &how);
		convert(&out, &how, args);
	}
	if (size)
		to[out.length < size ? out.length : size - 1] = 0;
	return out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	__builtin_va_list args;
	size_t length;
	__builtin_va_start(args, format);
	length = format_into(to, size, format, &args);
	__builtin_va_end(args);
	return (int)length;
}

static int print_to(int fd, const char *format, __builtin_va_list *args)
{
	char line[LINE_MAX];
	size_t length = format_into(line, sizeof(line), format, args);
	return (int)write(fd, line, length < sizeof(line) ? length : sizeof(line) - 1);
}

int dprintf(int fd, const char *format, ...)
{
	__builtin_va_list args;
	int result;
	__builtin_va_start(args, format);
	result = print_to(fd, format, &args);
	__builtin_va_end(args);
	return result;
}

int printf(const char *format, ...)
{
	__builtin_va_list args;
	int result;
	__builtin_va_start(args, format);
	result = print_to(1, format, &args);
	__builtin_va_end(args);
	return result;
}

int puts(const char *s) { return printf("%s\n", s); }
