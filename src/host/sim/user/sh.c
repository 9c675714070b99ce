/*
 * The shell: one pipeline a line. `[NAME=VALUE]... cmd args [< F] [> F] [>> F] [2> F] [2>&1] | cmd ... [& [NAME]]`; of
 * its own: `wait [NAME]`, `kill SIG NAME`, `sleep US`, `until US`, `export NAME=VALUE`, `try PIPELINE` (whose failure does
 * not count), `repeat N` ... `end`, `forever` ... `end`, `# comment`. $i and $j are the counters of the innermost loop and
 * of the one around it, $? what the last pipeline came to. '...' and "..." keep blanks together; '...' keeps all as it is.
 */
#include "libc/libc.h"

#define SCRIPT_MAX 16384
#define LINE_STORE 1024
#define MAX_WORDS 60
#define MAX_ARGS 28
#define MAX_STAGES 8
#define MAX_LOOPS 6
#define MAX_JOBS 16
#define MAX_QUIET 32

struct loop {
	char *body;
	long left;
	long count;
};

/* A word, and whether it is an operator: one that no quote has been around. */
struct word {
	char *text;
	int bare;
};

struct stage {
	char *argv[MAX_ARGS + 1];
	int argc;
	/* Files of descriptors 0 to 2, how they are opened. */
	const char *path[3];
	int flags[3];
	int error_to_output;
};

struct job {
	char name[16];
	long pid;
};

static char script[SCRIPT_MAX];
/* What of the script comes next. */
static char *input = script;
static struct loop loops[MAX_LOOPS];
static int depth;
static int failures;
static int last_status;
static struct job jobs[MAX_JOBS];
/* Children whose status says nothing about the script. */
static long quiet[MAX_QUIET];

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

static char *expand_dollar(char *to, char which)
{
	int level = which == 'i' ? depth - 1 : depth - 2;
	if (which == '?')
		return utoa(to, (unsigned long)last_status);
	return utoa(to, level < 0 ? 0 : (unsigned long)loops[level].count);
}

/* Copies a word without its quotes and with its counters replaced. */
static char *expand_word(char **from, char *to, struct word *word)
{
	char *s = *from;
	char quote = 0;
	word->text = to;
	word->bare = 1;
	while (*s && (quote || (*s != ' ' && *s != '\t'))) {
		if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? 0 : *s;
			word->bare = 0;
			s++;
		} else if (quote != '\'' && s[0] == '$' && s[1] && strchr("ij?", s[1])) {
			to = expand_dollar(to, s[1]);
			s += 2;
		} else {
			*to++ = *s++;
		}
	}
	*to++ = 0;
	*from = s;
	return to;
}

static int split(char *line, char *store, struct word *words)
{
	int count = 0;
	while (count < MAX_WORDS) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line)
			break;
		store = expand_word(&line, store, &words[count++]);
	}
	return count;
}

static int is(const struct word *word, const char *operator) { return word->bare && !strcmp(word->text, operator); }

static int is_quiet(long pid)
{
	int i;
	for (i = 0; i < MAX_QUIET; i++)
		if (quiet[i] == pid) {
			quiet[i] = 0;
			return 1;
		}
	return 0;
}

static void be_quiet_about(long pid)
{
	int i;
	for (i = 0; i < MAX_QUIET; i++)
		if (!quiet[i]) {
			quiet[i] = pid;
			return;
		}
}

/* A child is gone. */
static void bury(long pid, int status)
{
	int i;
	for (i = 0; i < MAX_JOBS; i++)
		if (jobs[i].pid == pid)
			jobs[i].pid = 0;
	last_status = status & 127 ? 128 + (status & 127) : status >> 8 & 255;
	if (!is_quiet(pid) && status)
		failures++;
}

/* Waits for one child, or with -1 for all of them. */
static void wait_for(long pid)
{
	int status = 0;
	long dead;
	do {
		dead = wait4(-1, &status, 0);
		if (dead > 0)
			bury(dead, status);
	} while (dead > 0 && dead != pid);
}

/* Background commands that are done by now. */
static void reap_background(void)
{
	int status = 0, kept = last_status;
	long pid;
	while ((pid = wait4(-1, &status, WNOHANG)) > 0)
		bury(pid, status);
	last_status = kept;
}

static struct job *find_job(const char *name)
{
	int i;
	for (i = 0; i < MAX_JOBS; i++)
		if (!strcmp(jobs[i].name, name))
			return &jobs[i];
	return NULL;
}

static void name_job(const char *name, long pid)
{
	struct job *job = find_job(name);
	if (!job)
		job = find_job("");
	if (!job || strlen(name) >= sizeof(job->name))
		die(name, -EINVAL);
	memcpy(job->name, name, strlen(name) + 1);
	job->pid = pid;
}

static void wait_for_job(const char *name)
{
	struct job *job = find_job(name);
	if (!job)
		failures++;
	else if (job->pid)
		wait_for(job->pid);
}

/* A job that is over hears no signal, and that is no failure; one that hears it may end as it likes. */
static void kill_job(const char *signal, const char *name)
{
	struct job *job = find_job(name);
	reap_background();
	if (!job)
		failures++;
	else if (job->pid) {
		be_quiet_about(job->pid);
		kill(job->pid, (int)atoi(signal));
	}
}

static int redirection(const char *operator, int *fd, int *flags)
{
	*fd = operator[0] == '<' ? 0 : operator[0] == '2' ? 2 : 1;
	operator += *fd == 2;
	*flags = !strcmp(operator, "<") ? O_RDONLY : O_WRONLY | O_CREAT | (strcmp(operator, ">>") ? O_TRUNC : O_APPEND);
	return !strcmp(operator, "<") || !strcmp(operator, ">") || !strcmp(operator, ">>");
}

/* Stages of the pipeline; 0 if it is none. */
static int parse_pipeline(struct word *words, int count, struct stage *stages)
{
	int n = 0, i, fd, flags;
	memset(stages, 0, MAX_STAGES * sizeof(*stages));
	for (i = 0; i < count; i++) {
		struct stage *stage = &stages[n];
		if (is(&words[i], "|")) {
			if (!stage->argc || ++n == MAX_STAGES)
				return 0;
		} else if (is(&words[i], "2>&1")) {
			stage->error_to_output = 1;
		} else if (words[i].bare && redirection(words[i].text, &fd, &flags)) {
			if (++i == count)
				return 0;
			stage->path[fd] = words[i].text;
			stage->flags[fd] = flags;
		} else if (stage->argc == MAX_ARGS) {
			return 0;
		} else {
			stage->argv[stage->argc++] = words[i].text;
		}
	}
	return stages[n].argc ? n + 1 : 0;
}

static void open_files(const struct stage *stage)
{
	int fd;
	for (fd = 0; fd < 3; fd++) {
		long opened;
		if (!stage->path[fd])
			continue;
		opened = open(stage->path[fd], stage->flags[fd], 0644);
		if (opened < 0)
			die(stage->path[fd], opened);
		dup2(opened, fd);
		close(opened);
	}
	if (stage->error_to_output)
		dup2(1, 2);
}

/* Never returns: the child becomes the program. Words NAME=VALUE before it are added to its environment. */
static void exec_stage(struct stage *stage)
{
	char path[64] = "/bin/", **argv = stage->argv;
	open_files(stage);
	while (argv[0] && argv[1] && strchr(argv[0], '='))
		putenv(*argv++);
	if (argv[0][0] == '/')
		path[0] = 0;
	if (strlen(argv[0]) + 6 > sizeof(path))
		die(argv[0], -ENAMETOOLONG);
	memcpy(path + strlen(path), argv[0], strlen(argv[0]) + 1);
	die(path, execve(path, argv, environ));
}

/* Starts one stage between `from` and a new pipe, whose other end it answers; -1 for the last stage. */
static int start_stage(struct stage *stage, int from, int last, long *pid)
{
	int ends[2] = { -1, -1 };
	if (!last && pipe2(ends, O_CLOEXEC))
		die("sh: pipe", -EMFILE);
	*pid = fork();
	if (*pid < 0)
		die("sh: fork", *pid);
	if (*pid == 0) {
		if (from >= 0)
			dup2(from, 0);
		if (ends[1] >= 0)
			dup2(ends[1], 1);
		exec_stage(stage);
	}
	if (from >= 0)
		close(from);
	if (ends[1] >= 0)
		close(ends[1]);
	return ends[0];
}

/* Of a pipeline only the last command's status counts. */
static void run_pipeline(struct stage *stages, int count, int background, const char *name, int trying)
{
	long pids[MAX_STAGES];
	int i, from = -1;
	reap_background();
	for (i = 0; i < count; i++) {
		from = start_stage(&stages[i], from, i == count - 1, &pids[i]);
		if (trying || i < count - 1)
			be_quiet_about(pids[i]);
	}
	if (name)
		name_job(name, pids[count - 1]);
	for (i = 0; !background && i < count; i++)
		if (wait4(pids[i], &last_status, 0) == pids[i])
			bury(pids[i], last_status);
}

static void run_command(struct word *words, int count)
{
	struct stage stages[MAX_STAGES];
	const char *name = NULL;
	int background = 0, trying = is(&words[0], "try");
	if (count > 1 && is(&words[count - 1], "&")) {
		background = 1;
		count--;
	} else if (count > 2 && is(&words[count - 2], "&")) {
		background = 1;
		name = words[count - 1].text;
		count -= 2;
	}
	words += trying;
	count = parse_pipeline(words, count - trying, stages);
	if (count)
		run_pipeline(stages, count, background, name, trying);
	else
		failures++;
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

/* Until so many microseconds after boot, if that is not over yet. */
static void sleep_until(long us)
{
	struct timespec64 now;
	long left;
	syscall(__NR_clock_gettime, (long)CLOCK_MONOTONIC, &now);
	left = us - now.tv_sec * 1000000 - now.tv_nsec / 1000;
	if (left > 0)
		sleep_us(left);
}

static void run_line(struct word *words, int count)
{
	const char *first = count > 1 ? words[1].text : "";
	if (is(&words[0], "repeat"))
		begin_loop(atoi(first));
	else if (is(&words[0], "forever"))
		begin_loop(-1);
	else if (is(&words[0], "end"))
		end_loop();
	else if (is(&words[0], "wait") && count > 1)
		wait_for_job(first);
	else if (is(&words[0], "wait"))
		wait_for(-1);
	else if (is(&words[0], "kill") && count > 2)
		kill_job(first, words[2].text);
	else if (is(&words[0], "sleep"))
		sleep_us(atoi(first));
	else if (is(&words[0], "until"))
		sleep_until(atoi(first));
	else if (is(&words[0], "export"))
		export_variable(first);
	else
		run_command(words, count);
}

int main(int argc, char **argv)
{
	struct word words[MAX_WORDS];
	char *line;
	if (argc < 2)
		return 2;
	load_script(argv[1]);
	while ((line = readline("$ "))) {
		/* Counters are at most as long as what is left of the line. */
		char *store = malloc(strlen(line) * 11 + LINE_STORE);
		int count = store ? split(line, store, words) : 0;
		if (count && words[0].text[0] != '#')
			run_line(words, count);
		free(store);
		free(line);
	}
	return failures ? 1 : 0;
}
