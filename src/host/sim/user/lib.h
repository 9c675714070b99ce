/* What user programs have instead of a C library. */
#pragma once
#include "../kernel/include/uapi.h"

typedef unsigned long size_t;
typedef long ssize_t;
#define NULL ((void *)0)
/* Data whose page nobody has touched before the kernel is handed its address. */
#define __cold_data __attribute__((section(".data.cold")))

long syscall(long nr, ...);
long fork(void);
long execve(const char *path, char *const *argv, char *const *envp);
long wait4(long pid, int *status, int options);
void exit(int code);
long open(const char *path, int flags, int mode);
long close(long fd);
long read(long fd, void *buf, size_t n);
long write(long fd, const void *buf, size_t n);
long fsync(long fd);
long lseek(long fd, long offset, int whence);
long unlink(const char *path);
long pipe2(int *ends, int flags);
long dup(long fd);
long dup2(long from, long to);
long fcntl(long fd, int cmd, long arg);
long poll(struct pollfd *fds, unsigned int count, int ms);
long epoll_create1(int flags);
long epoll_ctl(long epfd, int op, long fd, struct epoll_event *event);
long epoll_wait(long epfd, struct epoll_event *events, int max, int ms);
long kill(long pid, int sig);
long sleep_us(long us);
long spawn(void (*function)(void), void *stack_top);
long socket_of(int family);
long set_option(long fd, int level, int name, int value);
long connect_socket(long fd, int family, int port);
long connect_mapped(long fd, int port);
long listen_socket(long fd, int family, int port);
long connect_to(int port);
long listen_on(int family, int port);

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int starts_with(const char *s, const char *prefix);
long atoi(const char *s);
char *utoa(char *to, unsigned long value);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
void say(const char *text);
void die(const char *what, long error);
