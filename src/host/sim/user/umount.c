/* umount [-l] DIRECTORY: -l even if it is in use. */
#include "libc/libc.h"

int main(int argc, char **argv)
{
	int lazy = argc > 2 && !strcmp(argv[1], "-l");
	long error;
	if (argc != 2 + lazy)
		return 2;
	error = syscall(__NR_umount, argv[1 + lazy], lazy ? (long)MNT_DETACH : 0L);
	if (error)
		die(argv[1 + lazy], error);
	return 0;
}
