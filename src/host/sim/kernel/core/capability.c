/* The questions that system calls ask: may this task do that? */
#include "fs.h"

bool ns_capable_common(struct user_namespace *ns, int cap, unsigned int opts)
{
	return security_capable(current->cred, ns, cap, opts) == 0;
}

bool ns_capable(struct user_namespace *ns, int cap) { return ns_capable_common(ns, cap, CAP_OPT_NONE); }
bool ns_capable_noaudit(struct user_namespace *ns, int cap) { return ns_capable_common(ns, cap, CAP_OPT_NOAUDIT); }
bool ns_capable_setid(struct user_namespace *ns, int cap) { return ns_capable_common(ns, cap, CAP_OPT_INSETID); }
bool capable(int cap) { return ns_capable(&init_user_ns, cap); }

/* Of another task, and nobody is to hear of it. */
bool has_capability_noaudit(struct task_struct *t, int cap)
{
	return security_capable(t->real_cred, &init_user_ns, cap, CAP_OPT_NOAUDIT) == 0;
}

bool capable_wrt_inode_uidgid(const struct inode *inode, int cap)
{
	(void)inode;
	return ns_capable(current->cred->user_ns, cap);
}

bool kill_ok_by_cred(struct task_struct *t)
{
	const struct cred *cred = current->cred;
	const struct cred *tcred = t->real_cred;
	if (uid_eq(cred->euid, tcred->suid) || uid_eq(cred->euid, tcred->uid) || uid_eq(cred->uid, tcred->suid) ||
	    uid_eq(cred->uid, tcred->uid))
		return true;
	return ns_capable(tcred->user_ns, CAP_KILL);
}

/* Signals go to one's own threads, to tasks of the same user, or to any with CAP_KILL. */
int check_kill_permission(struct task_struct *t)
{
	if (t->tgid == current->tgid || kill_ok_by_cred(t))
		return 0;
	return -EPERM;
}
