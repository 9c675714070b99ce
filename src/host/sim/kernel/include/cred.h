/* Who a task is, and what it may do. Linux's names; the numbers of capabilities are those of its UAPI. */
#pragma once
#include "cpu.h"

#define CAP_DAC_OVERRIDE 1
#define CAP_DAC_READ_SEARCH 2
#define CAP_KILL 5
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_NET_BIND_SERVICE 10
#define CAP_SYS_ADMIN 21
#define CAP_SYS_RESOURCE 24
#define CAP_LAST_CAP 40

#define CAP_OPT_NONE 0u
#define CAP_OPT_NOAUDIT 2u
#define CAP_OPT_INSETID 4u

typedef struct kernel_cap_struct {
	u32 cap[2];
} kernel_cap_t;

#define CAP_FULL_SET ((kernel_cap_t){ { ~0u, (1u << (CAP_LAST_CAP - 31)) - 1 } })
#define cap_raised(c, flag) (((c).cap[(flag) >> 5] >> ((flag) & 31)) & 1)

struct ns_common {
	unsigned int inum;
};

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
	kgid_t group;
	struct ns_common ns;
};
extern struct user_namespace init_user_ns;

struct cred {
	atomic_t usage;
	kuid_t suid;
	kuid_t uid;
	kgid_t gid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	kernel_cap_t cap_bset;
	kernel_cap_t cap_ambient;
	struct user_namespace *user_ns;
};
extern struct cred init_cred;

struct inode;
struct mm_struct;
struct task_struct;

static __always_inline bool uid_eq(kuid_t left, kuid_t right) { return left.val == right.val; }
static __always_inline bool gid_eq(kgid_t left, kgid_t right) { return left.val == right.val; }

void cred_init(void);
struct cred *prepare_creds(void);
int commit_creds(struct cred *new);
void put_cred(const struct cred *cred);

/* 0, or -EPERM. */
int cap_capable(const struct cred *cred, struct user_namespace *targ_ns, int cap, unsigned int opts);
int security_capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts);
bool ns_capable(struct user_namespace *ns, int cap);
bool ns_capable_noaudit(struct user_namespace *ns, int cap);
bool ns_capable_setid(struct user_namespace *ns, int cap);
bool capable(int cap);
bool has_capability_noaudit(struct task_struct *t, int cap);
bool capable_wrt_inode_uidgid(const struct inode *inode, int cap);
int check_kill_permission(struct task_struct *t);
int security_vm_enough_memory_mm(struct mm_struct *mm, long pages);
