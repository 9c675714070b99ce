/* Addresses of machines by name: dotted numbers, and what /etc/hosts has. */
#include "libc.h"

#define HOSTS_MAX 1024

static const char hosts_path[] = "/etc/hosts";

static const char *parse_octet(const char *s, unsigned int *value)
{
	unsigned int n = 0;
	const char *start = s;
	while (*s >= '0' && *s <= '9' && n < 256)
		n = n * 10 + (unsigned int)(*s++ - '0');
	*value = n;
	return s == start || n > 255 ? NULL : s;
}

/* An address in network order behind `s`, where the text goes on; NULL if there is none. */
static const char *parse_address(const char *s, unsigned int *address)
{
	unsigned int octet;
	int i;
	*address = 0;
	for (i = 0; i < 4; i++) {
		if (i && *s++ != '.')
			return NULL;
		s = parse_octet(s, &octet);
		if (!s)
			return NULL;
		*address |= octet << 8 * i;
	}
	return s;
}

/* Whether one of the words up to the end of the line is `name`. */
static int line_names(const char *s, const char *name)
{
	size_t length = strlen(name);
	while (*s && *s != '\n' && *s != '#') {
		while (*s == ' ' || *s == '\t')
			s++;
		if (!strncmp(s, name, length) && (!s[length] || strchr(" \t\n#", s[length])))
			return 1;
		while (*s && !strchr(" \t\n#", *s))
			s++;
	}
	return 0;
}

static int search_hosts(const char *text, const char *name, unsigned int *address)
{
	while (*text) {
		const char *names = parse_address(text, address);
		if (names && line_names(names, name))
			return 0;
		text = strchr(text, '\n');
		if (!text)
			break;
		text++;
	}
	return EAI_NONAME;
}

static int lookup_host(const char *name, unsigned int *address)
{
	char text[HOSTS_MAX];
	const char *end = parse_address(name, address);
	long fd, n;
	if (end && !*end)
		return 0;
	fd = open(hosts_path, O_RDONLY, 0);
	if (fd < 0)
		return EAI_NONAME;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return search_hosts(text, name, address);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct {
		struct addrinfo info;
		struct sockaddr_in address;
	} *found;
	unsigned int port = service ? (unsigned int)atoi(service) : 0;
	unsigned int address = 0x0100007f;
	int error = node ? lookup_host(node, &address) : 0;
	if (error)
		return error;
	found = calloc(1, sizeof(*found));
	if (!found)
		return EAI_MEMORY;
	found->address.sin_family = AF_INET;
	found->address.sin_port = (unsigned short)(port << 8 | port >> 8);
	found->address.sin_addr = address;
	found->info.ai_family = AF_INET;
	found->info.ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
	found->info.ai_addrlen = sizeof(found->address);
	found->info.ai_addr = &found->address;
	*result = &found->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;
		free(list);
		list = next;
	}
}

/* The result is overwritten by the next call. */
struct hostent *gethostbyname(const char *name)
{
	static unsigned int address;
	static char canonical[64];
	static char *none[1], *addresses[2];
	static struct hostent host;
	if (lookup_host(name, &address))
		return NULL;
	snprintf(canonical, sizeof(canonical), "%s", name);
	addresses[0] = (char *)&address;
	host = (struct hostent){ canonical, none, AF_INET, 4, addresses };
	return &host;
}

struct hostent *gethostbyname2(const char *name, int family) { return family == AF_INET ? gethostbyname(name) : NULL; }
