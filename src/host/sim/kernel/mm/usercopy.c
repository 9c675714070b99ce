/* Copies across the user boundary. A page that is absent is faulted in, or the copy stops there. */
#include "mm.h"
#include "uapi.h"

long do_strncpy_from_user(char *to, const char *from, long count);

bool access_ok(const void *address, unsigned long size)
{
	unsigned long start = (unsigned long)address;
	return size <= TASK_SIZE && start <= TASK_SIZE - size;
}

unsigned long _copy_from_user(void *to, const void *from, unsigned long n)
{
	unsigned long left = n;
	if (likely(access_ok(from, n)))
		left = copy_user_generic(to, from, n);
	if (unlikely(left))
		memset((char *)to + (n - left), 0, left);
	return left;
}

unsigned long _copy_to_user(void *to, const void *from, unsigned long n)
{
	if (unlikely(!access_ok(to, n)))
		return n;
	return copy_user_generic(to, from, n);
}

long strncpy_from_user(char *to, const char *from, long count)
{
	if (unlikely(count <= 0))
		return 0;
	if (!access_ok(from, 1))
		return -EFAULT;
	if ((unsigned long)count > TASK_SIZE - (unsigned long)from)
		count = (long)(TASK_SIZE - (unsigned long)from);
	return do_strncpy_from_user(to, from, count);
}
