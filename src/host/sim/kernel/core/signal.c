/* Signals: sent, kept until the task is about to return to user mode, taken off and acted upon. */
#include "fs.h"
#include "journal.h"

/* What sending a signal came to, as signal_generate tells it. */
enum { TRACE_SIGNAL_DELIVERED, TRACE_SIGNAL_IGNORED, TRACE_SIGNAL_ALREADY_PENDING, TRACE_SIGNAL_OVERFLOW_FAIL };

#define SIG_KERNEL_STOP_MASK (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
#define SIG_KERNEL_IGNORE_MASK (sigmask(SIGCONT) | sigmask(SIGCHLD) | sigmask(SIGWINCH) | sigmask(SIGURG))
#define SIG_KERNEL_ONLY_MASK (sigmask(SIGKILL) | sigmask(SIGSTOP))

static struct kmem_cache sigqueue_cachep, sighand_cachep, signal_cachep;
struct sighand_struct init_sighand = { .count = { 1 } };
struct signal_struct init_signals = { .sigcnt = { 1 }, .nr_threads = 1 };

void init_sigpending(struct sigpending *pending)
{
	INIT_LIST_HEAD(&pending->list);
	pending->signal.sig[0] = 0;
}

void signals_init(void)
{
	kmem_cache_create(&sigqueue_cachep, "sigqueue", sizeof(struct sigqueue));
	kmem_cache_create(&sighand_cachep, "sighand_cache", sizeof(struct sighand_struct));
	kmem_cache_create(&signal_cachep, "signal_cache", sizeof(struct signal_struct));
	init_sigpending(&init_signals.shared_pending);
	mutex_init(&init_signals.cred_guard_mutex);
}

void flush_sigqueue(struct sigpending *pending)
{
	while (!list_empty(&pending->list)) {
		struct sigqueue *q = list_first_entry(&pending->list, struct sigqueue, list);
		list_del_init(&q->list);
		kmem_cache_free(&sigqueue_cachep, q);
	}
	pending->signal.sig[0] = 0;
}

int copy_sighand(u64 clone_flags, struct task_struct *p)
{
	struct sighand_struct *sighand;
	if (clone_flags & (CLONE_SIGHAND | CLONE_THREAD)) {
		atomic_inc(&current->sighand->count);
		p->sighand = current->sighand;
		return 0;
	}
	sighand = kmem_cache_alloc(&sighand_cachep, GFP_KERNEL);
	if (!sighand)
		return -ENOMEM;
	*sighand = *current->sighand;
	sighand->siglock.locked = 0;
	atomic_set(&sighand->count, 1);
	p->sighand = sighand;
	return 0;
}

int copy_signal(u64 clone_flags, struct task_struct *p)
{
	struct signal_struct *sig;
	if (clone_flags & CLONE_THREAD) {
		atomic_inc(&current->signal->sigcnt);
		__atomic_add_fetch(&current->signal->nr_threads, 1, __ATOMIC_SEQ_CST);
		p->signal = current->signal;
		return 0;
	}
	sig = kmem_cache_alloc(&signal_cachep, GFP_KERNEL);
	if (!sig)
		return -ENOMEM;
	memset(sig, 0, sizeof(*sig));
	atomic_set(&sig->sigcnt, 1);
	sig->nr_threads = 1;
	sig->oom_score_adj = current->signal->oom_score_adj;
	sig->oom_score_adj_min = current->signal->oom_score_adj_min;
	init_sigpending(&sig->shared_pending);
	mutex_init(&sig->cred_guard_mutex);
	p->signal = sig;
	return 0;
}

/* The new task's share of its parent's signals; nothing is pending for it. */
int copy_signals(u64 clone_flags, struct task_struct *p)
{
	int error;
	init_sigpending(&p->pending);
	error = copy_sighand(clone_flags, p);
	return error ? error : copy_signal(clone_flags, p);
}

void put_signals(struct task_struct *p)
{
	flush_sigqueue(&p->pending);
	if (p->sighand && atomic_dec_and_test(&p->sighand->count))
		kmem_cache_free(&sighand_cachep, p->sighand);
	if (p->signal && atomic_dec_and_test(&p->signal->sigcnt)) {
		flush_sigqueue(&p->signal->shared_pending);
		kmem_cache_free(&signal_cachep, p->signal);
	}
	p->sighand = NULL;
	p->signal = NULL;
}

/* exec: handlers of the old program are gone, ignored signals stay so. */
void flush_signal_handlers(struct task_struct *p)
{
	struct k_sigaction *ka = p->sighand->action;
	int i;
	for (i = 0; i < _NSIG; i++, ka++) {
		if (ka->sa.sa_handler != SIG_IGN)
			ka->sa.sa_handler = SIG_DFL;
		ka->sa.sa_flags = 0;
		ka->sa.sa_restorer = NULL;
		ka->sa.sa_mask.sig[0] = 0;
	}
}

bool has_pending_signals(const struct task_struct *p)
{
	return ((p->pending.signal.sig[0] | p->signal->shared_pending.signal.sig[0]) & ~p->blocked.sig[0]) != 0;
}

void recalc_sigpending(void)
{
	WRITE_ONCE(current->sigpending, has_pending_signals(current) || (current->signal->flags & SIGNAL_GROUP_EXIT));
}

void (*sig_handler(struct task_struct *p, int sig))(int) { return p->sighand->action[sig - 1].sa.sa_handler; }

bool sig_task_ignored(struct task_struct *p, int sig)
{
	void (*handler)(int) = sig_handler(p, sig);
	if ((p->signal->flags & SIGNAL_UNKILLABLE) && handler == SIG_DFL)
		return true;
	if (p->flags & PF_KTHREAD)
		return true;
	return handler == SIG_IGN || (handler == SIG_DFL && (sigmask(sig) & SIG_KERNEL_IGNORE_MASK));
}

/* A blocked signal is never ignored: its handler may be another when it is unblocked. */
bool sig_ignored(struct task_struct *p, int sig)
{
	if (p->blocked.sig[0] & sigmask(sig))
		return false;
	return sig_task_ignored(p, sig);
}

/* The task will look for signals soon: from its sleep, or at its next way to user mode. */
void signal_wake_up(struct task_struct *t, bool resume)
{
	WRITE_ONCE(t->sigpending, 1);
	if (!try_to_wake_up(t, TASK_INTERRUPTIBLE | (resume ? TASK_STOPPED | TASK_WAKEKILL : 0)))
		kick_process(t);
}

bool wants_signal(int sig, struct task_struct *p)
{
	return !(p->blocked.sig[0] & sigmask(sig)) && !(p->flags & PF_EXITING);
}

/* Some thread of the process that takes the signal, `p` by preference. The list of tasks is locked. */
struct task_struct *thread_that_wants(int sig, struct task_struct *p, bool group)
{
	struct list_head *pos;
	if (wants_signal(sig, p))
		return p;
	if (!group)
		return NULL;
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *t = list_entry(pos, struct task_struct, tasks);
		if (t->signal == p->signal && wants_signal(sig, t))
			return t;
	}
	return NULL;
}

void complete_signal(int sig, struct task_struct *p, bool group)
{
	struct task_struct *t = thread_that_wants(sig, p, group);
	if (t)
		signal_wake_up(t, sig == SIGKILL);
}

/* SIGCONT lets a stopped process go on whatever becomes of the signal. */
void continue_stopped(struct task_struct *p)
{
	struct list_head *pos;
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *t = list_entry(pos, struct task_struct, tasks);
		if (t->signal == p->signal)
			try_to_wake_up(t, TASK_STOPPED);
	}
}

int __send_signal_locked(int sig, const struct kernel_siginfo *info, struct task_struct *p, bool group)
{
	struct sigpending *pending = group ? &p->signal->shared_pending : &p->pending;
	struct sigqueue *q;
	if (sig == SIGCONT)
		continue_stopped(p);
	if (sig_ignored(p, sig))
		return TRACE_SIGNAL_IGNORED;
	if (pending->signal.sig[0] & sigmask(sig))
		return TRACE_SIGNAL_ALREADY_PENDING;
	q = kmem_cache_alloc(&sigqueue_cachep, GFP_ATOMIC);
	if (!q)
		return TRACE_SIGNAL_OVERFLOW_FAIL;
	q->info = *info;
	list_add_tail(&q->list, &pending->list);
	pending->signal.sig[0] |= sigmask(sig);
	complete_signal(sig, p, group);
	return TRACE_SIGNAL_DELIVERED;
}

/* Called with the list of tasks locked, so that threads of `p` stay what they are. */
int send_signal_locked(int sig, struct kernel_siginfo *info, struct task_struct *p, bool group)
{
	u64 flags;
	int result;
	if (!p->sighand || (p->flags & PF_EXITING && !group))
		return -ESRCH;
	flags = _raw_spin_lock_irqsave(&p->sighand->siglock);
	result = __send_signal_locked(sig, info, p, group);
	journal(J_SIGNAL_GENERATE, pid_tgid(current), (u64)sig, pid_tgid(p), (u64)result);
	trace(signal_generate, sig, info, p, group, result);
	_raw_spin_unlock_irqrestore(&p->sighand->siglock, flags);
	return result == TRACE_SIGNAL_OVERFLOW_FAIL ? -EAGAIN : 0;
}

void fill_info(struct kernel_siginfo *info, int sig, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = code;
	info->_sifields._kill._pid = current->tgid;
	info->_sifields._kill._uid = current->cred->uid.val;
}

/* From the kernel itself, to a process. */
int send_sig(int sig, struct task_struct *p)
{
	struct kernel_siginfo info;
	int error;
	fill_info(&info, sig, SI_KERNEL);
	info._sifields._kill._pid = 0;
	_raw_spin_lock(&tasklist_lock);
	error = send_signal_locked(sig, &info, p, true);
	_raw_spin_unlock(&tasklist_lock);
	return error;
}

/* A fault of the running task: its handler gets it, or it dies, even if the signal is blocked or ignored. */
void force_sig_info(struct kernel_siginfo *info)
{
	struct k_sigaction *ka = &current->sighand->action[info->si_signo - 1];
	_raw_spin_lock(&tasklist_lock);
	if ((current->blocked.sig[0] & sigmask(info->si_signo)) || ka->sa.sa_handler == SIG_IGN) {
		ka->sa.sa_handler = SIG_DFL;
		current->blocked.sig[0] &= ~sigmask(info->si_signo);
	}
	if (ka->sa.sa_handler == SIG_DFL)
		current->signal->flags &= ~SIGNAL_UNKILLABLE;
	send_signal_locked(info->si_signo, info, current, false);
	_raw_spin_unlock(&tasklist_lock);
}

void force_sig_fault(int sig, int code, void *address)
{
	struct kernel_siginfo info = { .si_signo = sig, .si_code = code, ._sifields._sigfault._addr = address };
	force_sig_info(&info);
}

void force_sig(int sig)
{
	struct kernel_siginfo info = { .si_signo = sig, .si_code = SI_KERNEL };
	force_sig_info(&info);
}

/* SIGCHLD, or what the parent asked for. The list of tasks is locked. */
void do_notify_parent(struct task_struct *tsk, int sig)
{
	struct kernel_siginfo info = { .si_signo = sig };
	if (!sig || sig > _NSIG)
		return;
	info.si_code = tsk->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED;
	info._sifields._sigchld._pid = tsk->pid;
	info._sifields._sigchld._uid = tsk->cred->uid.val;
	info._sifields._sigchld._status = tsk->exit_code & 0x7f ? tsk->exit_code & 0x7f : tsk->exit_code >> 8;
	send_signal_locked(sig, &info, tsk->real_parent, true);
}

/* The lowest signal that is pending and not blocked, SIGKILL before all; 0 if there is none. */
int next_signal(const struct sigpending *pending, const sigset_t *mask)
{
	unsigned long ready = pending->signal.sig[0] & ~mask->sig[0];
	if (ready & sigmask(SIGKILL))
		return SIGKILL;
	return ready ? __builtin_ctzl(ready) + 1 : 0;
}

int __dequeue_signal(struct sigpending *pending, const sigset_t *mask, struct kernel_siginfo *info)
{
	int sig = next_signal(pending, mask);
	struct list_head *pos, *n;
	if (!sig)
		return 0;
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	pending->signal.sig[0] &= ~sigmask(sig);
	list_for_each_safe(pos, n, &pending->list) {
		struct sigqueue *q = list_entry(pos, struct sigqueue, list);
		if (q->info.si_signo != sig)
			continue;
		*info = q->info;
		list_del_init(&q->list);
		kmem_cache_free(&sigqueue_cachep, q);
		break;
	}
	return sig;
}

int dequeue_signal(struct task_struct *tsk, struct kernel_siginfo *info)
{
	int sig = __dequeue_signal(&tsk->pending, &tsk->blocked, info);
	if (!sig)
		sig = __dequeue_signal(&tsk->signal->shared_pending, &tsk->blocked, info);
	recalc_sigpending();
	return sig;
}

/* The task stops until SIGCONT or SIGKILL. */
void do_signal_stop(void)
{
	set_current_state(TASK_STOPPED);
	schedule();
}

/* What the process does about the signal: true for a handler. */
bool handle_dequeued(struct ksignal *ksig)
{
	struct k_sigaction *ka = &current->sighand->action[ksig->sig - 1];
	journal(J_SIGNAL_DELIVER, pid_tgid(current), (u64)ksig->sig, (u64)ka->sa.sa_handler, ka->sa.sa_flags);
	trace(signal_deliver, ksig->sig, &ksig->info, ka);
	if (ka->sa.sa_handler == SIG_IGN)
		return false;
	if (ka->sa.sa_handler != SIG_DFL) {
		ksig->ka = *ka;
		if (ka->sa.sa_flags & SA_RESETHAND)
			ka->sa.sa_handler = SIG_DFL;
		return true;
	}
	if (sigmask(ksig->sig) & SIG_KERNEL_IGNORE_MASK)
		return false;
	if ((current->signal->flags & SIGNAL_UNKILLABLE) && !(sigmask(ksig->sig) & SIG_KERNEL_ONLY_MASK))
		return false;
	if (sigmask(ksig->sig) & SIG_KERNEL_STOP_MASK)
		do_signal_stop();
	else
		do_group_exit(ksig->sig);
	return false;
}

/* True: `ksig` holds a signal with a handler of the program's own. All others have been dealt with, or end the task. */
bool get_signal(struct ksignal *ksig)
{
	for (;;) {
		u64 flags;
		if (current->signal->flags & SIGNAL_GROUP_EXIT)
			do_group_exit(current->signal->group_exit_code);
		flags = _raw_spin_lock_irqsave(&current->sighand->siglock);
		ksig->sig = dequeue_signal(current, &ksig->info);
		_raw_spin_unlock_irqrestore(&current->sighand->siglock, flags);
		if (!ksig->sig)
			return false;
		if (handle_dequeued(ksig))
			return true;
	}
}

/* Every other thread of the process dies on its way to user mode. */
void zap_other_threads(struct task_struct *p)
{
	struct list_head *pos;
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *t = list_entry(pos, struct task_struct, tasks);
		if (t->signal != p->signal || t == p || (t->flags & PF_EXITING))
			continue;
		signal_wake_up(t, true);
	}
	_raw_spin_unlock(&tasklist_lock);
}

void __noreturn do_group_exit(int code)
{
	struct signal_struct *sig = current->signal;
	if (__atomic_fetch_or(&sig->flags, SIGNAL_GROUP_EXIT, __ATOMIC_SEQ_CST) & SIGNAL_GROUP_EXIT) {
		code = sig->group_exit_code;
	} else {
		sig->group_exit_code = code;
		zap_other_threads(current);
	}
	do_exit(code);
}
