/* What capabilities mean: cap_capable() decides, the other hooks of the module ask it. */
#include "journal.h"
#include "mm.h"

/* Walks from the namespace up: the owner of one has all capabilities in it, everyone else what their set has. */
int cap_check(const struct cred *cred, struct user_namespace *targ_ns, int cap)
{
	struct user_namespace *ns = targ_ns;
	for (;;) {
		if (ns == cred->user_ns)
			return cap_raised(cred->cap_effective, cap) ? 0 : -EPERM;
		if (ns->level <= cred->user_ns->level)
			return -EPERM;
		if (ns->parent == cred->user_ns && uid_eq(ns->owner, cred->euid))
			return 0;
		ns = ns->parent;
	}
}

int cap_capable(const struct cred *cred, struct user_namespace *targ_ns, int cap, unsigned int opts)
{
	int result = cap_check(cred, targ_ns, cap);
	journal(J_CAPABLE, pid_tgid(current), (u64)cap, opts, (u64)result);
	return result;
}

/* A task that has CAP_SYS_ADMIN may use the last pages, too. */
int cap_vm_enough_memory(struct mm_struct *mm, long pages)
{
	int cap_sys_admin = cap_capable(current->cred, &init_user_ns, CAP_SYS_ADMIN, CAP_OPT_NOAUDIT) == 0;
	(void)mm;
	(void)pages;
	return cap_sys_admin;
}

/* Root that becomes somebody else keeps nothing; who becomes root effectively may do what is permitted. */
void cap_emulate_setxuid(struct cred *new, const struct cred *old)
{
	kuid_t root = { 0 };
	bool was_root = uid_eq(old->uid, root) || uid_eq(old->euid, root) || uid_eq(old->suid, root);
	bool is_root = uid_eq(new->uid, root) || uid_eq(new->euid, root) || uid_eq(new->suid, root);
	if (was_root && !is_root) {
		new->cap_permitted = (kernel_cap_t){ { 0, 0 } };
		new->cap_effective = (kernel_cap_t){ { 0, 0 } };
		new->cap_ambient = (kernel_cap_t){ { 0, 0 } };
	}
	if (uid_eq(old->euid, root) && !uid_eq(new->euid, root))
		new->cap_effective = (kernel_cap_t){ { 0, 0 } };
	if (!uid_eq(old->euid, root) && uid_eq(new->euid, root))
		new->cap_effective = new->cap_permitted;
}
