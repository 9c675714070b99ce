/*
 * The shell: one command a line. `cmd args`, `cmd args &`, `wait`, `sleep US`, `export NAME=VALUE`, `repeat N` ... `end`,
 * `forever` ... `end`, `# comment`. $i and $j are the counters of the innermost loop and of the one around it.
 */
#include "libc/libc.h"

#define SCRIPT_MAX 16384
#define MAX_ARGS 14
#define MAX_LOOPS 6

struct loop {
	char *body;
	long left;
	long count;
};

static char script[SCRIPT_MAX];
/* What of the script comes next. */
static char *input = script;
static struct loop loops[MAX_LOOPS];
static int depth;
static int failures;

static void load_script(const char *path)
{
	long fd = open(path, O_RDONLY, 0), n, total = 0;
	if (fd < 0)
		die(path, fd);
	while (total < SCRIPT_MAX - 1 && (n = read(fd, script + total, (size_t)(SCRIPT_MAX - 1 - total))) > 0)
		total += n;
	script[total] = 0;
	close(fd);
}

/* The next line, in memory of its own, or NULL behind the last one. There is nobody to be prompted. */
char *readline(const char *prompt)
{
	size_t length = 0;
	char *line;
	(void)prompt;
	if (!*input)
		return NULL;
	while (input[length] && input[length] != '\n')
		length++;
	line = malloc(length + 1);
	if (!line)
		die("sh: readline", -ENOMEM);
	memcpy(line, input, length);
	line[length] = 0;
	input += length + (input[length] != 0);
	return line;
}

static char *expand_counter(char *to, char which)
{
	int level = which == 'i' ? depth - 1 : depth - 2;
	return utoa(to, level < 0 ? 0 : (unsigned long)loops[level].count);
}

/* Copies a word with its counters replaced. */
static char *expand_word(char **from, char *to)
{
	char *s = *from;
	while (*s && *s != ' ') {
		if (s[0] == '$' && (s[1] == 'i' || s[1] == 'j')) {
			to = expand_counter(to, s[1]);
			s += 2;
		} else {
			*to++ = *s++;
		}
	}
	*to++ = 0;
	*from = s;
	return to;
}

static int split(char *line, char *store, char **argv)
{
	int argc = 0;
	while (argc < MAX_ARGS) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line)
			break;
		argv[argc++] = store;
		store = expand_word(&line, store);
	}
	argv[argc] = NULL;
	return argc;
}

static void count_status(int status)
{
	if (status)
		failures++;
}

/* Waits for one child, or with -1 for all of them. */
static void wait_for(long pid)
{
	int status = 0;
	long dead;
	do {
		dead = wait4(pid, &status, 0);
		if (dead > 0)
			count_status(status);
	} while (dead > 0 && dead != pid);
}

/* Background commands that are done by now. */
static void reap_background(void)
{
	int status = 0;
	while (wait4(-1, &status, WNOHANG) > 0)
		count_status(status);
}

static void run_command(int argc, char **argv)
{
	char path[64] = "/bin/";
	int background = argc > 1 && !strcmp(argv[argc - 1], "&");
	long pid;
	if (background)
		argv[--argc] = NULL;
	memcpy(path + 5, argv[0], strlen(argv[0]) + 1);
	reap_background();
	pid = fork();
	if (pid < 0)
		die("sh: fork", pid);
	if (pid == 0) {
		long error = execve(path, argv, environ);
		die(path, error);
	}
	if (!background)
		wait_for(pid);
}

static void skip_to_end(void)
{
	int nested = 1;
	char *line;
	while (nested && (line = readline("> "))) {
		if (starts_with(line, "repeat ") || starts_with(line, "forever"))
			nested++;
		else if (starts_with(line, "end"))
			nested--;
		free(line);
	}
}

static void begin_loop(long count)
{
	if (depth == MAX_LOOPS || count == 0) {
		skip_to_end();
		return;
	}
	loops[depth].body = input;
	loops[depth].left = count;
	loops[depth].count = 0;
	depth++;
}

static void end_loop(void)
{
	struct loop *loop;
	if (!depth)
		return;
	loop = &loops[depth - 1];
	loop->count++;
	if (loop->left > 0 && --loop->left == 0)
		depth--;
	else
		input = loop->body;
}

static void export_variable(const char *assignment)
{
	char *kept = strdup(assignment);
	if (!kept || putenv(kept))
		failures++;
}

static void run_line(int argc, char **argv)
{
	if (!strcmp(argv[0], "repeat"))
		begin_loop(argc > 1 ? atoi(argv[1]) : 0);
	else if (!strcmp(argv[0], "forever"))
		begin_loop(-1);
	else if (!strcmp(argv[0], "end"))
		end_loop();
	else if (!strcmp(argv[0], "wait"))
		wait_for(-1);
	else if (!strcmp(argv[0], "sleep"))
		sleep_us(argc > 1 ? atoi(argv[1]) : 0);
	else if (!strcmp(argv[0], "export"))
		export_variable(argc > 1 ? argv[1] : "");
	else
		run_command(argc, argv);
}

int main(int argc, char **argv)
{
	char store[256], *words[MAX_ARGS + 1];
	char *line;
	if (argc < 2)
		return 2;
	load_script(argv[1]);
	while ((line = readline("$ "))) {
		argc = split(line, store, words);
		if (argc && words[0][0] != '#')
			run_line(argc, words);
		free(line);
	}
	return failures ? 1 : 0;
}
