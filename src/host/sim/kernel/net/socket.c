/* System calls on sockets, and sockets as files. */
#include "net.h"

#define SOMAXCONN 4096

void skb_init(void);
void net_dev_init(void);

void net_init(void)
{
	skb_init();
	net_dev_init();
	tcp_init();
}

/* Addresses as the journal has them: those of version 4 in the form of version 6. */
void journal_address(enum journal_kind kind, const struct sock *sk, const struct in6_addr *address, u64 port)
{
	const u64 *words = (const u64 *)address;
	journal(kind, (u64)sk, words[0], words[1], port | (u64)sk->__sk_common.skc_family << 16);
}

/* An entry behind both addresses of the socket, with none of this CPU between. */
void journal_sock(enum journal_kind kind, const struct sock *sk, u64 a, u64 b, u64 c, u64 d)
{
	const struct sock_common *common = &sk->__sk_common;
	struct in6_addr own = common->skc_v6_rcv_saddr, peer = common->skc_v6_daddr;
	u64 flags;
	if (common->skc_family == AF_INET) {
		ipv6_addr_set_v4mapped(common->skc_rcv_saddr, &own);
		ipv6_addr_set_v4mapped(common->skc_daddr, &peer);
	}
	flags = local_irq_save();
	journal_address(J_SOCK_OWN, sk, &own, swab16(inet_sk(sk)->inet_sport));
	journal_address(J_SOCK_PEER, sk, &peer, swab16(common->skc_dport));
	journal(kind, a, b, c, d);
	local_irq_restore(flags);
}

ssize_t sock_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct socket *sock = iocb->ki_filp->private_data;
	if (!iter->count)
		return 0;
	return tcp_recvmsg(sock->sk, iter->buf, iter->count);
}

ssize_t sock_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct socket *sock = iocb->ki_filp->private_data;
	if (!iter->count)
		return 0;
	return tcp_sendmsg(sock->sk, iter->buf, iter->count);
}

int sock_close(struct inode *inode, struct file *file)
{
	struct socket *sock = file->private_data;
	(void)inode;
	if (!sock)
		return 0;
	sock->ops->release(sock);
	kfree(sock);
	return 0;
}

__poll_t sock_poll(struct file *file, struct poll_table_struct *wait)
{
	struct socket *sock = file->private_data;
	return tcp_poll(file, sock->sk, wait);
}

const struct file_operations sock_file_ops = {
	.poll = sock_poll,
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.release = sock_close,
};

struct socket *sock_alloc(const struct proto_ops *ops)
{
	struct socket *sock = kzalloc(sizeof(*sock), GFP_KERNEL);
	if (!sock)
		return NULL;
	sock->state = SS_UNCONNECTED;
	sock->type = SOCK_STREAM;
	sock->ops = ops;
	return sock;
}

/* A descriptor for the socket, which is the file's from here on. */
long sock_map_fd(struct socket *sock)
{
	struct file *file = alloc_empty_file(O_RDWR);
	int fd = IS_ERR(file) ? (int)PTR_ERR(file) : get_unused_fd_flags(0);
	if (fd < 0) {
		if (!IS_ERR(file))
			fput(file);
		return fd;
	}
	sock->file = file;
	file->f_op = &sock_file_ops;
	file->private_data = sock;
	fd_install((unsigned int)fd, file);
	return fd;
}

/* A descriptor, or the socket is gone. */
long sock_map_fd_or_release(struct socket *sock)
{
	long fd = sock_map_fd(sock);
	if (fd < 0) {
		sock->ops->release(sock);
		kfree(sock);
	}
	return fd;
}

struct sock *inet_create(struct socket *sock, int family)
{
	struct sock *sk = sk_alloc(family == AF_INET ? &tcp_prot : &tcpv6_prot, family, GFP_KERNEL);
	if (!sk)
		return NULL;
	if (family == AF_INET6)
		inet_sk(sk)->pinet6 = &((struct tcp6_sock *)sk)->inet6;
	tcp_init_sock(sk);
	sock->sk = sk;
	sk->sk_socket = sock;
	return sk;
}

long __sys_socket(int family, int type, int protocol)
{
	struct socket *sock;
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	if ((type & 15) != SOCK_STREAM || (protocol && protocol != IPPROTO_TCP))
		return -EPROTONOSUPPORT;
	sock = sock_alloc(family == AF_INET ? &inet_stream_ops : &inet6_stream_ops);
	if (!sock)
		return -ENOMEM;
	if (!inet_create(sock, family)) {
		kfree(sock);
		return -ENOMEM;
	}
	return sock_map_fd_or_release(sock);
}

/* The file of a socket descriptor, with a reference. */
struct file *sockfd_lookup(unsigned int fd)
{
	struct file *file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != &sock_file_ops) {
		fput(file);
		return ERR_PTR(-ENOTSOCK);
	}
	return file;
}

static __always_inline struct socket *sock_from_file(struct file *file) { return file->private_data; }

int move_addr_to_kernel(const void *user, int len, struct __kernel_sockaddr_storage *address)
{
	memset(address, 0, sizeof(*address));
	if (len < 0 || len > (int)sizeof(*address))
		return -EINVAL;
	return len && _copy_from_user(address, user, (size_t)len) ? -EFAULT : 0;
}

long __sys_connect(int fd, const void *user, int len)
{
	struct __kernel_sockaddr_storage address;
	struct file *file = sockfd_lookup((unsigned int)fd);
	struct socket *sock;
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	sock = sock_from_file(file);
	error = move_addr_to_kernel(user, len, &address);
	if (!error)
		error = sock->ops->connect(sock, (struct sockaddr *)&address, len, 0);
	fput(file);
	return error;
}

long __sys_bind(int fd, const void *user, int len)
{
	struct __kernel_sockaddr_storage address;
	struct file *file = sockfd_lookup((unsigned int)fd);
	struct socket *sock;
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	sock = sock_from_file(file);
	error = move_addr_to_kernel(user, len, &address);
	if (!error)
		error = sock->ops->bind(sock, (struct sockaddr *)&address, len);
	fput(file);
	return error;
}

long __sys_listen(int fd, int backlog)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	struct socket *sock;
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	sock = sock_from_file(file);
	if ((unsigned int)backlog > SOMAXCONN)
		backlog = SOMAXCONN;
	error = sock->ops->listen(sock, backlog);
	fput(file);
	return error;
}

/* A descriptor for the first connection whose handshake is complete; sleeps until there is one. */
long do_accept(struct socket *sock)
{
	struct socket *newsock = sock_alloc(sock->ops);
	struct sock *sk;
	long error;
	if (!newsock)
		return -ENOMEM;
	error = sock->ops->accept(sock, newsock, 0, false);
	if (error) {
		kfree(newsock);
		return error;
	}
	sk = newsock->sk;
	sock_hold(sk);
	error = sock_map_fd_or_release(newsock);
	journal_sock(J_TCP_ACCEPT, sk, pid_tgid(current), swab16(inet_sk(sk)->inet_sport), swab16(sk->__sk_common.skc_dport),
		     (u64)error);
	sock_put(sk);
	return error;
}

long __sys_accept4(int fd)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = do_accept(sock_from_file(file));
	fput(file);
	return ret;
}

long __sys_sendto(int fd, const char *data, size_t len)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = access_ok(data, len) ? tcp_sendmsg(sock_from_file(file)->sk, data, len) : -EFAULT;
	fput(file);
	return ret;
}

long __sys_recvfrom(int fd, char *data, size_t len)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = access_ok(data, len) ? tcp_recvmsg(sock_from_file(file)->sk, data, len) : -EFAULT;
	fput(file);
	return ret;
}

long __sys_shutdown(int fd, int how)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	struct socket *sock;
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	sock = sock_from_file(file);
	ret = sock->ops->shutdown(sock, how);
	fput(file);
	return ret;
}

long __sys_setsockopt(int fd, int level, int optname, const void *user, int len)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	int value;
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (len < (int)sizeof(value))
		ret = -EINVAL;
	else if (_copy_from_user(&value, user, sizeof(value)))
		ret = -EFAULT;
	else
		ret = sock_setsockopt(sock_from_file(file), level, optname, value);
	fput(file);
	return ret;
}

long __x64_sys_socket(const struct pt_regs *regs) { return __sys_socket((int)regs->di, (int)regs->si, (int)regs->dx); }
long __x64_sys_listen(const struct pt_regs *regs) { return __sys_listen((int)regs->di, (int)regs->si); }
long __x64_sys_accept(const struct pt_regs *regs) { return __sys_accept4((int)regs->di); }
long __x64_sys_shutdown(const struct pt_regs *regs) { return __sys_shutdown((int)regs->di, (int)regs->si); }

long __x64_sys_connect(const struct pt_regs *regs)
{
	return __sys_connect((int)regs->di, (const void *)regs->si, (int)regs->dx);
}

long __x64_sys_bind(const struct pt_regs *regs)
{
	return __sys_bind((int)regs->di, (const void *)regs->si, (int)regs->dx);
}

long __x64_sys_sendto(const struct pt_regs *regs)
{
	return __sys_sendto((int)regs->di, (const char *)regs->si, regs->dx);
}

long __x64_sys_recvfrom(const struct pt_regs *regs)
{
	return __sys_recvfrom((int)regs->di, (char *)regs->si, regs->dx);
}

long __x64_sys_setsockopt(const struct pt_regs *regs)
{
	return __sys_setsockopt((int)regs->di, (int)regs->si, (int)regs->dx, (const void *)regs->r10, (int)regs->r8);
}
