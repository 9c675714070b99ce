/* The hooks of security modules. There is none but the one for capabilities: what it has no hook for is allowed. */
#include "fs.h"

int cap_vm_enough_memory(struct mm_struct *mm, long pages);
int __vm_enough_memory(struct mm_struct *mm, long pages, int cap_sys_admin);

/* Capabilities are the one module that is always there. */
int security_capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts)
{
	return cap_capable(cred, ns, cap, opts);
}

int security_vm_enough_memory_mm(struct mm_struct *mm, long pages)
{
	return __vm_enough_memory(mm, pages, cap_vm_enough_memory(mm, pages));
}

int security_file_open(struct file *file)
{
	(void)file;
	return 0;
}

int security_inode_create(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	(void)dir;
	(void)dentry;
	(void)mode;
	return 0;
}

int security_inode_unlink(struct inode *dir, struct dentry *dentry)
{
	(void)dir;
	(void)dentry;
	return 0;
}
