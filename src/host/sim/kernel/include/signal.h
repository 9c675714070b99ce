/* Signals: what is pending, who handles it. Linux's names; numbers are in uapi.h. */
#pragma once
#include "cpu.h"
#include "list.h"
#include "locks.h"
#include "uapi.h"

#define _NSIG 64

typedef struct {
	unsigned long sig[1];
} sigset_t;

#define sigmask(sig) (1UL << ((sig) - 1))

#define SA_SIGINFO 4UL
#define SA_RESTORER 0x04000000UL
#define SA_RESTART 0x10000000UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_TKILL (-6)
#define CLD_EXITED 1
#define CLD_KILLED 2
#define SEGV_MAPERR 1

/* What a system call answers that a signal broke off; user programs never see these. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

struct sigaction {
	void (*sa_handler)(int);
	unsigned long sa_flags;
	void (*sa_restorer)(void);
	sigset_t sa_mask;
};
struct k_sigaction {
	struct sigaction sa;
};

union __sifields {
	struct {
		pid_t _pid;
		u32 _uid;
	} _kill;
	struct {
		pid_t _pid;
		u32 _uid;
		int _status;
		long _utime;
		long _stime;
	} _sigchld;
	struct {
		void *_addr;
	} _sigfault;
};
struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
	union __sifields _sifields;
};
/* As user programs see it. */
struct siginfo {
	struct kernel_siginfo info;
	char _pad[128 - sizeof(struct kernel_siginfo)];
};

struct sigqueue {
	struct list_head list;
	struct kernel_siginfo info;
};
struct sigpending {
	struct list_head list;
	sigset_t signal;
};

struct sighand_struct {
	spinlock_t siglock;
	atomic_t count;
	struct k_sigaction action[_NSIG];
};

#define SIGNAL_GROUP_EXIT 4u
#define SIGNAL_UNKILLABLE 0x40u

struct signal_struct {
	atomic_t sigcnt;
	int nr_threads;
	struct sigpending shared_pending;
	int group_exit_code;
	unsigned int flags;
	/* exec and who looks at what it changes. */
	struct mutex cred_guard_mutex;
	/* The address space of a process that is killed for it. */
	struct mm_struct *oom_mm;
	short oom_score_adj;
	short oom_score_adj_min;
};

struct ksignal {
	struct k_sigaction ka;
	struct kernel_siginfo info;
	int sig;
};

struct task_struct;
struct mm_struct;
void signals_init(void);
int copy_signals(u64 clone_flags, struct task_struct *p);
void put_signals(struct task_struct *p);
void flush_signal_handlers(struct task_struct *p);
bool get_signal(struct ksignal *ksig);
void recalc_sigpending(void);
void force_sig_fault(int sig, int code, void *address);
void force_sig(int sig);
void do_notify_parent(struct task_struct *tsk, int sig);
int send_sig(int sig, struct task_struct *p);
void zap_other_threads(struct task_struct *p);
void __noreturn do_group_exit(int code);
void set_current_blocked(sigset_t set);
void set_user_sigmask(sigset_t set);
void restore_saved_sigmask_unless(bool interrupted);
sigset_t sigmask_to_save(void);
void arch_do_signal_or_restart(struct pt_regs *regs);
