/* From the first instruction of a program to its main, and its environment. */
#include "libc.h"

char **environ;

void __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv)
{
	environ = argv + argc + 1;
	exit(main(argc, argv, environ));
}

static char **find_variable(const char *name, size_t length)
{
	char **entry;
	for (entry = environ; *entry; entry++)
		if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
			return entry;
	return NULL;
}

char *getenv(const char *name)
{
	size_t length = strlen(name);
	char **entry = find_variable(name, length);
	return entry ? *entry + length + 1 : NULL;
}

/* A copy of the environment with room for one more. */
static int grow_environment(char *added)
{
	size_t count = 0;
	char **grown;
	while (environ[count])
		count++;
	grown = malloc((count + 2) * sizeof(char *));
	if (!grown)
		return -ENOMEM;
	memcpy(grown, environ, count * sizeof(char *));
	grown[count] = added;
	grown[count + 1] = NULL;
	environ = grown;
	return 0;
}

/* The string itself becomes part of the environment. */
int putenv(char *assignment)
{
	char *equals = strchr(assignment, '=');
	char **entry;
	if (!equals)
		return -EINVAL;
	entry = find_variable(assignment, (size_t)(equals - assignment));
	if (!entry)
		return grow_environment(assignment);
	*entry = assignment;
	return 0;
}
