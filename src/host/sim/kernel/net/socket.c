/* System calls on sockets, and sockets as files. */
#include "journal.h"
#include "net.h"
#include "uapi.h"

void tcp_init(void);
void skb_init(void);
void net_dev_init(void);
struct sock *reqsk_queue_remove(struct sock *sk);

void net_init(void)
{
	skb_init();
	net_dev_init();
	tcp_init();
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

int sock_release(struct inode *inode, struct file *file)
{
	struct socket *sock = file->private_data;
	(void)inode;
	if (!sock)
		return 0;
	sock->sk->sk_socket = NULL;
	tcp_close(sock->sk);
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
	.release = sock_release,
};

/* A descriptor for a socket around sk, whose reference it takes. */
long sock_map_fd(struct sock *sk)
{
	struct socket *sock = kzalloc(sizeof(*sock), GFP_KERNEL);
	struct file *file;
	int fd;
	if (!sock)
		return -ENOMEM;
	file = alloc_empty_file(O_RDWR);
	fd = IS_ERR(file) ? (int)PTR_ERR(file) : get_unused_fd_flags(0);
	if (fd < 0) {
		if (!IS_ERR(file))
			fput(file);
		kfree(sock);
		return fd;
	}
	sock->type = SOCK_STREAM;
	sock->file = file;
	sock->sk = sk;
	sk->sk_socket = sock;
	file->f_op = &sock_file_ops;
	file->private_data = sock;
	fd_install((unsigned int)fd, file);
	return fd;
}

long __sys_socket(int family, int type)
{
	struct sock *sk;
	long fd;
	if (family != AF_INET || (type & 15) != SOCK_STREAM)
		return -EINVAL;
	sk = sk_alloc();
	if (!sk)
		return -ENOMEM;
	fd = sock_map_fd(sk);
	if (fd < 0)
		sock_put(sk);
	return fd;
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

static __always_inline struct sock *file_sk(struct file *file) { return ((struct socket *)file->private_data)->sk; }

int inet_stream_connect(struct sock *sk, struct sockaddr_in *address, int len)
{
	int error;
	if (sk->__sk_common.skc_state != TCP_CLOSE)
		return -EINVAL;
	lock_sock(sk);
	error = tcp_v4_connect(sk, address, len);
	release_sock(sk);
	if (error)
		return error;
	if (wait_event_interruptible(&sk->sk_wq, sk->__sk_common.skc_state != TCP_SYN_SENT))
		return -ERESTARTSYS;
	return sk->__sk_common.skc_state == TCP_CLOSE ? -sk->sk_err : 0;
}

int move_addr_to_kernel(const void *user, int len, struct sockaddr_in *address)
{
	if (len < (int)sizeof(*address))
		return -EINVAL;
	return _copy_from_user(address, user, sizeof(*address)) ? -EFAULT : 0;
}

long __sys_connect(int fd, const void *user, int len)
{
	struct sockaddr_in address;
	struct file *file = sockfd_lookup((unsigned int)fd);
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	error = move_addr_to_kernel(user, len, &address);
	if (!error)
		error = inet_stream_connect(file_sk(file), &address, len);
	fput(file);
	return error;
}

#define PROT_SOCK 1024

bool may_bind_port(u16 port) { return !port || port >= PROT_SOCK || ns_capable(&init_user_ns, CAP_NET_BIND_SERVICE); }

long __sys_bind(int fd, const void *user, int len)
{
	struct sockaddr_in address;
	struct file *file = sockfd_lookup((unsigned int)fd);
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	error = move_addr_to_kernel(user, len, &address);
	if (!error && !may_bind_port(swab16(address.sin_port)))
		error = -EACCES;
	if (!error)
		error = inet_csk_get_port(file_sk(file), swab16(address.sin_port));
	fput(file);
	return error;
}

int inet_csk_listen_start(struct sock *sk, int backlog)
{
	if (sk->__sk_common.skc_state != TCP_CLOSE || !sk->__sk_common.skc_num)
		return -EINVAL;
	sk->sk_max_ack_backlog = backlog < 1 ? 1 : (u32)backlog;
	tcp_set_state(sk, TCP_LISTEN);
	inet_hash(sk);
	return 0;
}

long __sys_listen(int fd, int backlog)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long error;
	if (IS_ERR(file))
		return PTR_ERR(file);
	error = inet_csk_listen_start(file_sk(file), backlog);
	fput(file);
	return error;
}

/* The first connection whose handshake is complete; sleeps until there is one. */
struct sock *inet_csk_accept(struct sock *sk, int *error)
{
	struct sock *child = NULL;
	*error = -EINVAL;
	if (sk->__sk_common.skc_state != TCP_LISTEN)
		return NULL;
	while (!child) {
		*error = (int)wait_event_interruptible(&sk->sk_wq, !list_empty(&sk->accept_queue));
		if (*error)
			return NULL;
		child = reqsk_queue_remove(sk);
	}
	return child;
}

long __sys_accept4(int fd)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	struct sock *child;
	int error;
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	child = inet_csk_accept(file_sk(file), &error);
	fput(file);
	if (!child)
		return error;
	ret = sock_map_fd(child);
	if (ret < 0)
		tcp_close(child);
	journal(J_TCP_ACCEPT, pid_tgid(current), child->__sk_common.skc_num, swab16(child->__sk_common.skc_dport), (u64)ret);
	return ret;
}

long __sys_sendto(int fd, const char *data, size_t len)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = access_ok(data, len) ? tcp_sendmsg(file_sk(file), data, len) : -EFAULT;
	fput(file);
	return ret;
}

long __sys_recvfrom(int fd, char *data, size_t len)
{
	struct file *file = sockfd_lookup((unsigned int)fd);
	long ret;
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = access_ok(data, len) ? tcp_recvmsg(file_sk(file), data, len) : -EFAULT;
	fput(file);
	return ret;
}

long __x64_sys_socket(const struct pt_regs *regs) { return __sys_socket((int)regs->di, (int)regs->si); }
long __x64_sys_listen(const struct pt_regs *regs) { return __sys_listen((int)regs->di, (int)regs->si); }
long __x64_sys_accept(const struct pt_regs *regs) { return __sys_accept4((int)regs->di); }

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
