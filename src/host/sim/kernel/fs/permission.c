/* Whether the running task may read, write or search a file: its mode first, capabilities after it. */
#include "fs.h"

#define S_IXUGO 00111

int acl_permission_check(struct inode *inode, int mask)
{
	const struct cred *cred = current->cred;
	unsigned int mode = inode->i_mode;
	if (uid_eq(inode->i_uid, cred->fsuid))
		mode >>= 6;
	else if (gid_eq(inode->i_gid, cred->fsgid))
		mode >>= 3;
	return (unsigned int)mask & ~mode & 7 ? -EACCES : 0;
}

int generic_permission(struct inode *inode, int mask)
{
	int ret = acl_permission_check(inode, mask);
	bool directory = (inode->i_mode & S_IFMT) == S_IFDIR;
	if (ret != -EACCES)
		return ret;
	if ((directory && !(mask & MAY_WRITE)) || mask == MAY_READ)
		if (capable_wrt_inode_uidgid(inode, CAP_DAC_READ_SEARCH))
			return 0;
	if (directory || !(mask & MAY_EXEC) || (inode->i_mode & S_IXUGO))
		if (capable_wrt_inode_uidgid(inode, CAP_DAC_OVERRIDE))
			return 0;
	return -EACCES;
}

int inode_permission(struct inode *inode, int mask) { return generic_permission(inode, mask); }
