/* Pipes: a ring of pages between those who write and those who read. */
#include "fs.h"
#include "poll.h"
#include "uapi.h"

#define PIPE_DEF_BUFFERS 16u
#define PIPEFS_MAGIC 0x50495045

struct pipe_buffer {
	struct page *page;
	unsigned int offset, len;
};

struct pipe_inode_info {
	struct mutex mutex;
	struct wait_queue_head rd_wait, wr_wait;
	/* Where the next buffer is filled, and the next one emptied; they wrap where 32 bits do. */
	volatile unsigned int head, tail;
	unsigned int ring_size;
	volatile unsigned int readers, writers;
	unsigned int files;
	struct pipe_buffer *bufs;
};

static struct pseudo_fs pipefs;

void pipe_init(void) { init_pseudo(&pipefs, "pipefs", PIPEFS_MAGIC); }

bool pipe_empty(const struct pipe_inode_info *pipe) { return pipe->head == pipe->tail; }
bool pipe_full(const struct pipe_inode_info *pipe) { return pipe->head - pipe->tail >= pipe->ring_size; }
bool pipe_readable(const struct pipe_inode_info *pipe) { return !pipe_empty(pipe) || !pipe->writers; }
bool pipe_writable(const struct pipe_inode_info *pipe) { return !pipe_full(pipe) || !pipe->readers; }

struct pipe_buffer *pipe_buf(struct pipe_inode_info *pipe, unsigned int slot)
{
	return &pipe->bufs[slot % pipe->ring_size];
}

struct pipe_inode_info *alloc_pipe_info(void)
{
	struct pipe_inode_info *pipe = kzalloc(sizeof(*pipe), GFP_KERNEL);
	if (!pipe)
		return NULL;
	pipe->bufs = kzalloc(PIPE_DEF_BUFFERS * sizeof(struct pipe_buffer), GFP_KERNEL);
	if (!pipe->bufs) {
		kfree(pipe);
		return NULL;
	}
	pipe->ring_size = PIPE_DEF_BUFFERS;
	pipe->readers = pipe->writers = 1;
	pipe->files = 2;
	mutex_init(&pipe->mutex);
	init_waitqueue_head(&pipe->rd_wait);
	init_waitqueue_head(&pipe->wr_wait);
	return pipe;
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
	for (; !pipe_empty(pipe); pipe->tail++)
		put_page(pipe_buf(pipe, pipe->tail)->page);
	kfree(pipe->bufs);
	kfree(pipe);
}

/* What there is, up to what is asked for: bytes, or an error before the first one. */
ssize_t pipe_take(struct pipe_inode_info *pipe, struct iov_iter *to)
{
	ssize_t total = 0;
	while (to->count && !pipe_empty(pipe)) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->tail);
		size_t bytes = min(to->count, (size_t)buf->len);
		size_t copied = copy_page_to_iter(buf->page, buf->offset, bytes, to);
		buf->offset += (unsigned int)copied;
		buf->len -= (unsigned int)copied;
		total += (ssize_t)copied;
		if (!buf->len) {
			put_page(buf->page);
			pipe->tail++;
		}
		if (copied < bytes)
			return total ? total : -EFAULT;
	}
	return total;
}

ssize_t pipe_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct pipe_inode_info *pipe = file->private_data;
	ssize_t ret;
	bool was_full;
	if (!to->count)
		return 0;
	mutex_lock(&pipe->mutex);
	for (;;) {
		was_full = pipe_full(pipe);
		ret = pipe_take(pipe, to);
		if (ret || !pipe->writers)
			break;
		if (file->f_flags & O_NONBLOCK) {
			ret = -EAGAIN;
			break;
		}
		mutex_unlock(&pipe->mutex);
		if (wait_event_interruptible(&pipe->rd_wait, pipe_readable(pipe)))
			return -ERESTARTSYS;
		mutex_lock(&pipe->mutex);
	}
	was_full = was_full && !pipe_full(pipe);
	mutex_unlock(&pipe->mutex);
	if (was_full)
		wake_up_all_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	return ret;
}

/* The part of a write that does not fill a page goes behind what the last page has, if all of it fits there. */
ssize_t pipe_merge(struct pipe_inode_info *pipe, struct iov_iter *from)
{
	struct pipe_buffer *buf = pipe_buf(pipe, pipe->head - 1);
	size_t chars = from->count & (PAGE_SIZE - 1), copied;
	if (!chars || pipe_empty(pipe) || buf->offset + buf->len + chars > PAGE_SIZE)
		return 0;
	copied = copy_page_from_iter(buf->page, buf->offset + buf->len, chars, from);
	if (copied < chars)
		return -EFAULT;
	buf->len += (unsigned int)chars;
	return (ssize_t)chars;
}

/* Fills one more buffer. What is at most a page is in one piece wherever it comes out. */
ssize_t pipe_add(struct pipe_inode_info *pipe, struct iov_iter *from)
{
	size_t bytes = min(from->count, PAGE_SIZE);
	struct page *page = alloc_pages(GFP_KERNEL, 0);
	struct pipe_buffer *buf = pipe_buf(pipe, pipe->head);
	if (!page)
		return -ENOMEM;
	if (copy_page_from_iter(page, 0, bytes, from) < bytes) {
		put_page(page);
		return -EFAULT;
	}
	buf->page = page;
	buf->offset = 0;
	buf->len = (unsigned int)bytes;
	pipe->head++;
	return (ssize_t)bytes;
}

ssize_t broken_pipe(ssize_t done)
{
	send_sig(SIGPIPE, current);
	return done ? done : -EPIPE;
}

/* Leaves the mutex while it waits for room. 0, or why it is not to be waited for. */
long pipe_wait_writable(struct pipe_inode_info *pipe, const struct file *file)
{
	long error = 0;
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	mutex_unlock(&pipe->mutex);
	wake_up_all_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	if (wait_event_interruptible(&pipe->wr_wait, pipe_writable(pipe)))
		error = -ERESTARTSYS;
	mutex_lock(&pipe->mutex);
	return error;
}

ssize_t pipe_fill(struct pipe_inode_info *pipe, const struct file *file, struct iov_iter *from)
{
	ssize_t ret = 0, n = pipe->readers ? pipe_merge(pipe, from) : 0;
	for (;;) {
		if (!pipe->readers)
			return broken_pipe(ret);
		if (n < 0)
			return ret ? ret : n;
		ret += n;
		if (!from->count)
			return ret;
		if (pipe_full(pipe))
			n = pipe_wait_writable(pipe, file);
		else
			n = pipe_add(pipe, from);
	}
}

ssize_t pipe_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct pipe_inode_info *pipe = iocb->ki_filp->private_data;
	ssize_t ret;
	if (!from->count)
		return 0;
	mutex_lock(&pipe->mutex);
	ret = pipe_fill(pipe, iocb->ki_filp, from);
	mutex_unlock(&pipe->mutex);
	if (ret > 0)
		wake_up_all_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	return ret;
}

__poll_t pipe_poll(struct file *file, struct poll_table_struct *wait)
{
	struct pipe_inode_info *pipe = file->private_data;
	__poll_t mask = 0;
	if (file->f_mode & FMODE_READ) {
		poll_wait(file, &pipe->rd_wait, wait);
		mask |= pipe_empty(pipe) ? 0 : EPOLLIN | EPOLLRDNORM;
		mask |= pipe->writers ? 0 : EPOLLHUP;
	}
	if (file->f_mode & FMODE_WRITE) {
		poll_wait(file, &pipe->wr_wait, wait);
		mask |= pipe_full(pipe) ? 0 : EPOLLOUT | EPOLLWRNORM;
		mask |= pipe->readers ? 0 : EPOLLERR;
	}
	return mask;
}

int pipe_release(struct inode *inode, struct file *file)
{
	struct pipe_inode_info *pipe = file->private_data;
	bool last;
	(void)inode;
	mutex_lock(&pipe->mutex);
	pipe->readers -= (file->f_mode & FMODE_READ) != 0;
	pipe->writers -= (file->f_mode & FMODE_WRITE) != 0;
	last = !--pipe->files;
	if (!last) {
		wake_up_all_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP);
		wake_up_all_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
	}
	mutex_unlock(&pipe->mutex);
	if (last)
		free_pipe_info(pipe);
	return 0;
}

const struct file_operations pipefifo_fops = {
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.poll = pipe_poll,
	.release = pipe_release,
};

long pipe_fcntl(struct file *file, unsigned int cmd)
{
	const struct pipe_inode_info *pipe = file->private_data;
	(void)cmd;
	return file->f_op == &pipefifo_fops ? (long)(pipe->ring_size * PAGE_SIZE) : -EBADF;
}

struct inode *get_pipe_inode(void)
{
	struct inode *inode = new_inode(&pipefs.sb, S_IFIFO | 0600);
	if (!inode)
		return NULL;
	inode->i_fop = &pipefifo_fops;
	inode->i_private = alloc_pipe_info();
	if (inode->i_private)
		return inode;
	iput(inode);
	return NULL;
}

struct file *open_pipe_end(struct inode *inode, int flags)
{
	struct file *file;
	atomic_inc(&inode->i_count);
	file = alloc_file_pseudo(inode, &pipefs.mount, "", flags, &pipefifo_fops);
	if (IS_ERR(file))
		iput(inode);
	else
		file->private_data = inode->i_private;
	return file;
}

/* Both ends of a new pipe, [0] to read from. */
int create_pipe_files(struct file **files, int flags)
{
	struct inode *inode = get_pipe_inode();
	int error = 0;
	if (!inode)
		return -ENOMEM;
	files[0] = open_pipe_end(inode, O_RDONLY | (flags & O_NONBLOCK));
	files[1] = IS_ERR(files[0]) ? files[0] : open_pipe_end(inode, O_WRONLY | (flags & O_NONBLOCK));
	if (IS_ERR(files[1])) {
		error = (int)PTR_ERR(files[1]);
		((struct pipe_inode_info *)inode->i_private)->files--;
		if (!IS_ERR(files[0]))
			fput(files[0]);
		else
			free_pipe_info(inode->i_private);
	}
	iput(inode);
	return error;
}

int do_pipe2(int *user, int flags)
{
	struct file *files[2];
	int fd[2], error;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	error = create_pipe_files(files, flags);
	if (error)
		return error;
	fd[0] = get_unused_fd_flags((unsigned int)flags);
	fd[1] = fd[0] < 0 ? fd[0] : get_unused_fd_flags((unsigned int)flags);
	if (fd[1] < 0)
		error = fd[1];
	else if (_copy_to_user(user, fd, sizeof(fd)))
		error = -EFAULT;
	if (!error) {
		fd_install((unsigned int)fd[0], files[0]);
		fd_install((unsigned int)fd[1], files[1]);
		return 0;
	}
	if (fd[0] >= 0)
		put_unused_fd((unsigned int)fd[0]);
	if (fd[1] >= 0)
		put_unused_fd((unsigned int)fd[1]);
	fput(files[0]);
	fput(files[1]);
	return error;
}

long __x64_sys_pipe2(const struct pt_regs *regs) { return do_pipe2((int *)regs->di, (int)regs->si); }
long __x64_sys_pipe(const struct pt_regs *regs) { return do_pipe2((int *)regs->di, 0); }
