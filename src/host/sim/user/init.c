/* The first program: runs the script it is given, buries the dead, stops what is left, and ends the machine. */
#include "lib.h"

static char console[] __cold_data = "/dev/console";

static void open_console(void)
{
	int i;
	for (i = 0; i < 3; i++)
		open(console, i ? O_WRONLY : O_RDONLY, 0);
}

/* Reaps until `pid` is dead; its exit code. */
static int reap_until(long pid)
{
	int status = 0;
	long dead;
	do
		dead = wait4(-1, &status, 0);
	while (dead > 0 && dead != pid);
	return dead > 0 ? status >> 8 & 255 : 255;
}

static void reap_rest(void)
{
	int status;
	syscall(__NR_kill, -1L, (long)SIGTERM);
	while (wait4(-1, &status, 0) > 0)
		;
}

int main(int argc, char **argv, char **envp)
{
	char *args[] = { "sh", argc > 1 ? argv[1] : "/etc/rc.shell", NULL };
	long pid;
	int code;
	open_console();
	pid = fork();
	if (pid == 0) {
		long error = execve("/bin/sh", args, envp);
		die("init: /bin/sh", error);
	}
	code = reap_until(pid);
	reap_rest();
	return code;
}
