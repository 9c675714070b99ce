/* Credentials: shared by those who have the same, replaced as a whole. */
#include "mm.h"

#define USER_NS_INUM 4026531837u

struct user_namespace init_user_ns = { .ns = { .inum = USER_NS_INUM } };
struct cred init_cred = {
	.usage = { 1 },
	.cap_permitted = CAP_FULL_SET,
	.cap_effective = CAP_FULL_SET,
	.cap_bset = CAP_FULL_SET,
	.user_ns = &init_user_ns,
};
static struct kmem_cache cred_jar;

void cap_emulate_setxuid(struct cred *new, const struct cred *old);

void cred_init(void) { kmem_cache_create(&cred_jar, "cred_jar", sizeof(struct cred)); }

/* A copy of the running task's, to be changed and committed. */
struct cred *prepare_creds(void)
{
	struct cred *new = kmem_cache_alloc(&cred_jar, GFP_KERNEL);
	if (!new)
		return NULL;
	*new = *current->cred;
	atomic_set(&new->usage, 1);
	return new;
}

void put_cred(const struct cred *cred)
{
	if (atomic_dec_and_test(&((struct cred *)cred)->usage))
		kmem_cache_free(&cred_jar, (void *)cred);
}

/* The task is who `new` says from here on. */
int commit_creds(struct cred *new)
{
	const struct cred *old = current->real_cred;
	current->real_cred = new;
	current->cred = new;
	put_cred(old);
	return 0;
}

int __sys_setuid(u32 uid)
{
	const struct cred *old = current->cred;
	struct cred *new = prepare_creds();
	kuid_t kuid = { uid };
	if (!new)
		return -ENOMEM;
	if (ns_capable_setid(old->user_ns, CAP_SETUID)) {
		new->suid = new->uid = kuid;
	} else if (!uid_eq(kuid, old->uid) && !uid_eq(kuid, new->suid)) {
		put_cred(new);
		return -EPERM;
	}
	new->fsuid = new->euid = kuid;
	cap_emulate_setxuid(new, old);
	return commit_creds(new);
}

long __x64_sys_setuid(const struct pt_regs *regs) { return __sys_setuid((u32)regs->di); }

long __x64_sys_getuid(const struct pt_regs *regs)
{
	(void)regs;
	return (long)current->cred->uid.val;
}
