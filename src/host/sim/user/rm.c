/* rm FILE...: unlinks. */
#include "lib.h"

int main(int argc, char **argv)
{
	int i;
	for (i = 1; i < argc; i++) {
		long error = unlink(argv[i]);
		if (error)
			die(argv[i], error);
	}
	return 0;
}
