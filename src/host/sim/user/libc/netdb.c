/* Addresses of machines by name: dotted numbers, and what /etc/hosts has. */
#include "libc.h"

#define HOSTS_MAX 1024

static const char hosts_path[] = "/etc/hosts";

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

static int is_mapped(const struct in6_addr *address)
{
	const unsigned int *words = address->s6_addr32;
	return !words[0] && !words[1] && words[2] == 0xffff0000u;
}

/* The first line with that name and an address of the family, or of any if that is 0. */
static int search_hosts(const char *text, const char *name, int family, struct in6_addr *address)
{
	while (*text) {
		const char *names = text;
		int version = parse_address(text, &names, address);
		if (version && (!family || version == family) && line_names(names, name))
			return 0;
		text = strchr(text, '\n');
		if (!text)
			break;
		text++;
	}
	return EAI_NONAME;
}

static int lookup_host(const char *name, int family, struct in6_addr *address)
{
	char text[HOSTS_MAX];
	const char *end = name;
	long fd, n;
	if (parse_address(name, &end, address) && !*end)
		return 0;
	fd = open(hosts_path, O_RDONLY, 0);
	if (fd < 0)
		return EAI_NONAME;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return search_hosts(text, name, family, address);
}

/* An address of version 4 that is written as one of version 6 is one of version 6. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct {
		struct addrinfo info;
		union {
			struct sockaddr_in v4;
			struct sockaddr_in6 v6;
		} address;
	} *found;
	unsigned int port = service ? (unsigned int)atoi(service) : 0;
	struct in6_addr address = { { .u6_addr32 = { 0, 0, 0xffff0000u, 0x0100007f } } };
	int family, error = node ? lookup_host(node, hints ? hints->ai_family : 0, &address) : 0;
	if (error)
		return error;
	found = calloc(1, sizeof(*found));
	if (!found)
		return EAI_MEMORY;
	family = is_mapped(&address) && !(node && strchr(node, ':')) ? AF_INET : AF_INET6;
	found->address.v4.sin_family = (unsigned short)family;
	found->address.v4.sin_port = (unsigned short)(port << 8 | port >> 8);
	if (family == AF_INET)
		found->address.v4.sin_addr.s_addr = address.s6_addr32[3];
	else
		found->address.v6.sin6_addr = address;
	found->info.ai_family = family;
	found->info.ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
	found->info.ai_addrlen = family == AF_INET ? sizeof(found->address.v4) : sizeof(found->address.v6);
	found->info.ai_addr = (struct sockaddr *)&found->address;
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
	static struct in6_addr address;
	static char canonical[64];
	static char *none[1], *addresses[2];
	static struct hostent host;
	if (lookup_host(name, AF_INET, &address) || !is_mapped(&address))
		return NULL;
	snprintf(canonical, sizeof(canonical), "%s", name);
	addresses[0] = (char *)&address.s6_addr32[3];
	host = (struct hostent){ canonical, none, AF_INET, 4, addresses };
	return &host;
}

struct hostent *gethostbyname2(const char *name, int family) { return family == AF_INET ? gethostbyname(name) : NULL; }
