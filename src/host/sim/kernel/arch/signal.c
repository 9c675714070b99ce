/* Handlers of user programs: the frame on their stack, the way back from it, and system calls that go on afterwards. */
#include "fs.h"
#include "journal.h"

#define RED_ZONE 128

struct sigcontext {
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
	unsigned long di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	unsigned short cs, gs, fs, ss;
	unsigned long err, trapno, oldmask, cr2, fpstate;
	unsigned long reserved1[8];
};
struct sigaltstack {
	void *ss_sp;
	int ss_flags;
	size_t ss_size;
};
struct ucontext {
	unsigned long uc_flags;
	struct ucontext *uc_link;
	struct sigaltstack uc_stack;
	struct sigcontext uc_mcontext;
	sigset_t uc_sigmask;
};
struct rt_sigframe {
	void *pretcode;
	struct ucontext uc;
	struct siginfo info;
};

void get_sigcontext(struct sigcontext *sc, const struct pt_regs *regs)
{
	sc->r8 = regs->r8;
	sc->r9 = regs->r9;
	sc->r10 = regs->r10;
	sc->r11 = regs->r11;
	sc->r12 = regs->r12;
	sc->r13 = regs->r13;
	sc->r14 = regs->r14;
	sc->r15 = regs->r15;
	sc->di = regs->di;
	sc->si = regs->si;
	sc->bp = regs->bp;
	sc->bx = regs->bx;
	sc->dx = regs->dx;
	sc->ax = regs->ax;
	sc->cx = regs->cx;
	sc->sp = regs->sp;
	sc->ip = regs->ip;
	sc->flags = regs->flags;
	sc->cs = (unsigned short)regs->cs;
	sc->ss = (unsigned short)regs->ss;
}

/* Flags a program may set for itself: arithmetic, direction. */
#define FIX_EFLAGS 0xcd5UL

void restore_sigcontext(struct pt_regs *regs, const struct sigcontext *sc)
{
	regs->r8 = sc->r8;
	regs->r9 = sc->r9;
	regs->r10 = sc->r10;
	regs->r11 = sc->r11;
	regs->r12 = sc->r12;
	regs->r13 = sc->r13;
	regs->r14 = sc->r14;
	regs->r15 = sc->r15;
	regs->di = sc->di;
	regs->si = sc->si;
	regs->bp = sc->bp;
	regs->bx = sc->bx;
	regs->dx = sc->dx;
	regs->ax = sc->ax;
	regs->cx = sc->cx;
	regs->sp = sc->sp;
	regs->ip = sc->ip;
	regs->flags = (regs->flags & ~FIX_EFLAGS) | (sc->flags & FIX_EFLAGS);
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->orig_ax = (unsigned long)-1;
}

/* The frame a handler starts on, 8 below a multiple of 16 as after a call. */
struct rt_sigframe *get_sigframe(const struct pt_regs *regs)
{
	unsigned long sp = regs->sp - RED_ZONE - sizeof(struct rt_sigframe);
	return (struct rt_sigframe *)((sp & ~15UL) - 8);
}

int setup_rt_frame(struct ksignal *ksig, struct pt_regs *regs)
{
	struct rt_sigframe *user = get_sigframe(regs);
	struct rt_sigframe frame;
	if (!(ksig->ka.sa.sa_flags & SA_RESTORER))
		return -EFAULT;
	memset(&frame, 0, sizeof(frame));
	frame.pretcode = (void *)ksig->ka.sa.sa_restorer;
	frame.uc.uc_sigmask = sigmask_to_save();
	frame.info.info = ksig->info;
	get_sigcontext(&frame.uc.uc_mcontext, regs);
	if (_copy_to_user(user, &frame, sizeof(frame)))
		return -EFAULT;
	regs->di = (unsigned long)ksig->sig;
	regs->si = (unsigned long)&user->info;
	regs->dx = (unsigned long)&user->uc;
	regs->ax = 0;
	regs->ip = (unsigned long)ksig->ka.sa.sa_handler;
	regs->sp = (unsigned long)user;
	regs->flags &= ~FIX_EFLAGS;
	return 0;
}

void signal_setup_done(struct ksignal *ksig)
{
	sigset_t blocked = current->blocked;
	current->restore_sigmask = false;
	blocked.sig[0] |= ksig->ka.sa.sa_mask.sig[0];
	if (!(ksig->ka.sa.sa_flags & SA_NODEFER))
		blocked.sig[0] |= sigmask(ksig->sig);
	set_current_blocked(blocked);
}

/* The call is made again when the program goes on. */
void restart_syscall_insn(struct pt_regs *regs, unsigned long nr)
{
	regs->ax = nr;
	regs->ip -= 2;
}

void handle_signal(struct ksignal *ksig, struct pt_regs *regs)
{
	long result = (long)regs->ax;
	if ((long)regs->orig_ax >= 0) {
		if (result == -ERESTARTNOINTR || (result == -ERESTARTSYS && (ksig->ka.sa.sa_flags & SA_RESTART)))
			restart_syscall_insn(regs, regs->orig_ax);
		else if (result == -ERESTARTSYS || result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK)
			regs->ax = (unsigned long)-EINTR;
	}
	if (setup_rt_frame(ksig, regs))
		force_sig(SIGSEGV);
	else
		signal_setup_done(ksig);
}

void arch_do_signal_or_restart(struct pt_regs *regs)
{
	struct ksignal ksig;
	long result;
	if (get_signal(&ksig)) {
		handle_signal(&ksig, regs);
		regs->orig_ax = (unsigned long)-1;
		return;
	}
	restore_saved_sigmask_unless(false);
	result = (long)regs->ax;
	if ((long)regs->orig_ax < 0)
		return;
	if (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND)
		restart_syscall_insn(regs, regs->orig_ax);
	else if (result == -ERESTART_RESTARTBLOCK)
		restart_syscall_insn(regs, __NR_restart_syscall);
	else
		return;
	regs->orig_ax = (unsigned long)-1;
}

long __x64_sys_rt_sigreturn(const struct pt_regs *const_regs)
{
	struct pt_regs *regs = task_pt_regs(current);
	struct rt_sigframe *user = (struct rt_sigframe *)(regs->sp - 8);
	struct rt_sigframe frame;
	(void)const_regs;
	if (_copy_from_user(&frame, user, sizeof(frame))) {
		force_sig(SIGSEGV);
		return 0;
	}
	set_current_blocked(frame.uc.uc_sigmask);
	restore_sigcontext(regs, &frame.uc.uc_mcontext);
	return (long)regs->ax;
}
