/* Addresses of machines as text: dotted numbers, and groups of hexadecimal digits with colons. */
#include "libc.h"

static const char *parse_octet(const char *s, unsigned int *value)
{
	unsigned int n = 0;
	const char *start = s;
	while (*s >= '0' && *s <= '9' && n < 256)
		n = n * 10 + (unsigned int)(*s++ - '0');
	*value = n;
	return s == start || n > 255 ? NULL : s;
}

/* Four octets in network order behind `s`, and where the text goes on; NULL if there are none. */
static const char *parse_v4(const char *s, unsigned char *to)
{
	unsigned int octet;
	int i;
	for (i = 0; i < 4; i++) {
		if (i && *s++ != '.')
			return NULL;
		s = parse_octet(s, &octet);
		if (!s)
			return NULL;
		to[i] = (unsigned char)octet;
	}
	return s;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *parse_group(const char *s, unsigned char *to)
{
	unsigned int value = 0;
	const char *start = s;
	while (hex_digit(*s) >= 0 && s - start < 4)
		value = value << 4 | (unsigned int)hex_digit(*s++);
	to[0] = (unsigned char)(value >> 8);
	to[1] = (unsigned char)value;
	return s == start ? NULL : s;
}

/* Eight groups, of which two colons stand for as many zeros as are missing; the last two may be dotted numbers. */
static const char *parse_v6(const char *s, unsigned char *to)
{
	unsigned char bytes[16];
	const char *next;
	int count = 0, gap = -1, i;
	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (count < 16 && hex_digit(*s) >= 0) {
		if (count <= 12 && (next = parse_v4(s, bytes + count))) {
			count += 4;
			s = next;
			break;
		}
		s = parse_group(s, bytes + count);
		count += 2;
		if (*s != ':')
			break;
		if (s[1] == ':' && gap < 0) {
			gap = count;
			s++;
		}
		s++;
	}
	if (gap < 0 ? count != 16 : count == 16)
		return NULL;
	memset(to, 0, 16);
	for (i = 0; i < (gap < 0 ? 16 : gap); i++)
		to[i] = bytes[i];
	for (i = 0; gap >= 0 && i < count - gap; i++)
		to[15 - i] = bytes[count - 1 - i];
	return s;
}

/* The family of the address that `s` begins with, 0 if with none; where the text goes on. */
int parse_address(const char *s, const char **end, struct in6_addr *address)
{
	const char *next = parse_v4(s, &address->s6_addr[12]);
	if (next) {
		address->s6_addr32[0] = address->s6_addr32[1] = 0;
		address->s6_addr32[2] = 0xffff0000u;
		*end = next;
		return AF_INET;
	}
	next = parse_v6(s, address->s6_addr);
	if (!next)
		return 0;
	*end = next;
	return AF_INET6;
}
