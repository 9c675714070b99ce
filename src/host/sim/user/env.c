/* env [NAME...]: prints the environment, or the values of variables; fails if one is not there. */
#include "libc/libc.h"

static int print_variable(const char *name)
{
	const char *value = getenv(name);
	if (!value)
		return 1;
	puts(value);
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	int i, failed = 0;
	for (i = 1; i < argc; i++)
		failed |= print_variable(argv[i]);
	for (i = 0; argc == 1 && envp[i]; i++)
		puts(envp[i]);
	return failed;
}
