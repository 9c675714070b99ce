/* The hooks of a security module, of which there is none: all is allowed. */
#include "fs.h"

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
