/* The C library, libc.so.6. System calls answer the kernel's negative errno: there is no errno variable. */
#pragma once
#include "../lib.h"

/* memory */
void *malloc(size_t size);
void free(void *block);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void *valloc(size_t size);
void *sbrk(long increment);
void *mmap(void *address, size_t length, int prot, int flags, int fd, long offset);
int munmap(void *address, size_t length);

/* threads; `pthread_setname` names the calling one */
typedef struct thread *pthread_t;
typedef struct {
	/* 0 free, 1 taken, 2 taken and waited for. */
	volatile int state;
} pthread_mutex_t;
int pthread_create(pthread_t *thread, const void *attributes, void *(*start)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_setname(const char *name);

/* strings */
char *strdup(const char *s);
char *strcpy(char *to, const char *from);
char *strchr(const char *s, int c);
int strncmp(const char *a, const char *b, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* environment */
extern char **environ;
char *getenv(const char *name);
int putenv(char *assignment);

/* output: %s %c %d %i %u %x %p %%, with l, a width and leading zeros */
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int dprintf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int puts(const char *s);

/* names of machines, from /etc/hosts; addresses as `in6_addr`, those of version 4 mapped */
int parse_address(const char *s, const char **end, struct in6_addr *address);
#define EAI_NONAME (-2)
#define EAI_MEMORY (-10)
struct addrinfo {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	unsigned int ai_addrlen;
	struct sockaddr *ai_addr;
	char *ai_canonname;
	struct addrinfo *ai_next;
};
struct hostent {
	char *h_name;
	char **h_aliases;
	int h_addrtype;
	int h_length;
	char **h_addr_list;
};
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result);
void freeaddrinfo(struct addrinfo *list);
struct hostent *gethostbyname(const char *name);
struct hostent *gethostbyname2(const char *name, int family);
