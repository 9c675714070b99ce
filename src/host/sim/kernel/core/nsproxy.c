/* Namespaces of a task: it shares all of them with others until it asks for its own. */
#include "fs.h"
#include "uapi.h"

extern struct nsproxy init_nsproxy;

void put_nsproxy(struct nsproxy *ns)
{
	if (!ns || ns == &init_nsproxy || !atomic_dec_and_test(&ns->count))
		return;
	put_mnt_ns(ns->mnt_ns);
	kfree(ns);
}

struct nsproxy *create_new_namespaces(u64 flags, struct task_struct *tsk)
{
	struct nsproxy *new = kmalloc(sizeof(*new), GFP_KERNEL);
	struct mnt_namespace *mnt_ns;
	(void)flags;
	if (!new)
		return ERR_PTR(-ENOMEM);
	mnt_ns = copy_mnt_ns(tsk->nsproxy->mnt_ns);
	if (IS_ERR(mnt_ns)) {
		kfree(new);
		return (struct nsproxy *)mnt_ns;
	}
	*new = *tsk->nsproxy;
	atomic_set(&new->count, 1);
	new->mnt_ns = mnt_ns;
	return new;
}

/* The child's namespaces: those of its parent, or new ones if it is to have them. */
int copy_namespaces(u64 flags, struct task_struct *tsk)
{
	struct nsproxy *ns = current->nsproxy;
	if (flags & CLONE_NEWNS) {
		tsk->nsproxy = create_new_namespaces(flags, current);
		return IS_ERR(tsk->nsproxy) ? (int)PTR_ERR(tsk->nsproxy) : 0;
	}
	if (ns != &init_nsproxy)
		atomic_inc(&ns->count);
	tsk->nsproxy = ns;
	return 0;
}

void exit_task_namespaces(struct task_struct *tsk)
{
	struct nsproxy *ns = tsk->nsproxy;
	tsk->nsproxy = &init_nsproxy;
	put_nsproxy(ns);
}

int ksys_unshare(unsigned long flags)
{
	struct nsproxy *new, *old = current->nsproxy;
	if (flags & ~(u64)CLONE_NEWNS)
		return -EINVAL;
	if (!flags)
		return 0;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	new = create_new_namespaces(flags, current);
	if (IS_ERR(new))
		return (int)PTR_ERR(new);
	current->nsproxy = new;
	put_nsproxy(old);
	return 0;
}

long __x64_sys_unshare(const struct pt_regs *regs) { return ksys_unshare(regs->di); }
