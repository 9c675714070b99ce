/* Connections on their way to who accepts them: requests, and the queue of those whose handshake is complete. */
#include "net.h"

static struct kmem_cache request_sock_TCP;

void request_sock_init(void) { kmem_cache_create(&request_sock_TCP, "request_sock_TCP", sizeof(struct tcp_request_sock)); }

/* Sends the SYN and ACK again, after twice the time; or the request is given up. */
void reqsk_timer_handler(struct timer_list *timer)
{
	struct request_sock *req = container_of(timer, struct request_sock, rsk_timer);
	struct sock *listener = req->rsk_listener;
	bool hashed = !list_empty(&req->__req_common.skc_node);
	if (!hashed || listener->__sk_common.skc_state != TCP_LISTEN || req->num_timeout >= TCP_SYNACK_RETRIES) {
		inet_csk_reqsk_queue_drop(listener, req);
		reqsk_put(req);
		return;
	}
	tcp_rtx_synack(listener, req);
	req->num_timeout++;
	mod_timer(timer, jiffies + (msecs_to_jiffies(TCP_TIMEOUT_INIT_MS) << req->num_timeout));
}

/* With a reference, which is the timer's, and one to the listener. */
struct request_sock *inet_reqsk_alloc(struct sock *listener)
{
	struct tcp_request_sock *treq = kmem_cache_alloc(&request_sock_TCP, GFP_ATOMIC);
	struct sock_common *c;
	if (!treq)
		return NULL;
	memset(treq, 0, sizeof(*treq));
	c = &treq->req.__req_common;
	c->skc_family = listener->__sk_common.skc_family;
	c->skc_state = TCP_NEW_SYN_RECV;
	c->skc_num = listener->__sk_common.skc_num;
	c->skc_net = listener->__sk_common.skc_net;
	c->skc_prot = listener->sk_prot;
	INIT_LIST_HEAD(&c->skc_node);
	INIT_LIST_HEAD(&c->skc_bind_node);
	INIT_LIST_HEAD(&treq->req.dl_next);
	atomic_set(&c->skc_refcnt, 1);
	sock_hold(listener);
	treq->req.rsk_listener = listener;
	treq->ir_sport = inet_sk(listener)->inet_sport;
	timer_setup(&treq->req.rsk_timer, reqsk_timer_handler);
	return &treq->req;
}

void reqsk_free(struct request_sock *req)
{
	sock_put(req->rsk_listener);
	kmem_cache_free(&request_sock_TCP, req);
}

void reqsk_put(struct request_sock *req) { sock_gen_put(&req->__req_common); }

/* Packets find the request from here on, until its time is over. */
void inet_csk_reqsk_queue_hash_add(struct request_sock *req)
{
	atomic_inc(&inet_csk(req->rsk_listener)->icsk_accept_queue.qlen);
	inet_ehash_insert(&req->__req_common);
	mod_timer(&req->rsk_timer, jiffies + msecs_to_jiffies(TCP_TIMEOUT_INIT_MS));
}

/* The request is one less of the listener's, and has no timer. */
void reqsk_queue_removed(struct sock *sk, struct request_sock *req)
{
	__atomic_fetch_sub(&inet_csk(sk)->icsk_accept_queue.qlen.counter, 1, __ATOMIC_SEQ_CST);
	if (del_timer(&req->rsk_timer))
		reqsk_put(req);
}

/* False if packets found it no more. */
bool inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req)
{
	if (!inet_ehash_remove(&req->__req_common))
		return false;
	reqsk_queue_removed(sk, req);
	return true;
}

bool sk_acceptq_is_full(const struct sock *sk) { return READ_ONCE(sk->sk_ack_backlog) > READ_ONCE(sk->sk_max_ack_backlog); }

/* The child waits to be accepted; false if nobody listens any more. Takes the reference to the request. */
bool inet_csk_reqsk_queue_add(struct sock *sk, struct request_sock *req, struct sock *child)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	u64 flags = _raw_spin_lock_irqsave(&queue->rskq_lock);
	bool listens = sk->__sk_common.skc_state == TCP_LISTEN;
	if (listens) {
		req->sk = child;
		list_add_tail(&req->dl_next, &queue->rskq_accept);
		sk->sk_ack_backlog++;
	}
	_raw_spin_unlock_irqrestore(&queue->rskq_lock, flags);
	return listens;
}

struct request_sock *reqsk_queue_remove(struct sock *sk)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	struct request_sock *req = NULL;
	u64 flags = _raw_spin_lock_irqsave(&queue->rskq_lock);
	if (!list_empty(&queue->rskq_accept)) {
		req = list_first_entry(&queue->rskq_accept, struct request_sock, dl_next);
		list_del_init(&req->dl_next);
		sk->sk_ack_backlog--;
	}
	_raw_spin_unlock_irqrestore(&queue->rskq_lock, flags);
	return req;
}

/* Nobody will accept the connection: the other end is told. The child is not locked. */
void inet_child_forget(struct sock *child)
{
	lock_sock(child);
	if (child->__sk_common.skc_state != TCP_CLOSE) {
		tcp_set_state(child, TCP_CLOSE);
		tcp_send_active_reset(child, GFP_ATOMIC);
	}
	sock_hold(child);
	sock_set_flag(child, SOCK_DEAD);
	inet_csk_destroy_sock(child);
	release_sock(child);
	sock_put(child);
}

/* The child of a request that is done with; NULL if another CPU was faster or nobody listens. The child is locked. */
struct sock *inet_csk_complete_hashdance(struct sock *sk, struct sock *child, struct request_sock *req, bool own_req)
{
	if (own_req) {
		reqsk_queue_removed(sk, req);
		if (inet_csk_reqsk_queue_add(sk, req, child))
			return child;
		reqsk_put(req);
	}
	sock_set_flag(child, SOCK_DEAD);
	sock_hold(child);
	tcp_done(child);
	_raw_spin_unlock(&child->sk_lock.slock);
	sock_put(child);
	return NULL;
}

/* A socket for the connection that was asked for, locked. */
struct sock *inet_csk_clone_lock(const struct sock *sk, const struct request_sock *req)
{
	struct sock *newsk = sk_clone_lock(sk, GFP_ATOMIC);
	struct inet_connection_sock *newicsk;
	if (!newsk)
		return NULL;
	newicsk = inet_csk(newsk);
	tcp_set_state(newsk, TCP_SYN_RECV);
	newicsk->icsk_bind_hash = NULL;
	memset(&newicsk->icsk_accept_queue, 0, sizeof(newicsk->icsk_accept_queue));
	INIT_LIST_HEAD(&newicsk->icsk_accept_queue.rskq_accept);
	newsk->__sk_common.skc_dport = req->__req_common.skc_dport;
	newsk->__sk_common.skc_num = req->__req_common.skc_num;
	newicsk->icsk_inet.inet_sport = tcp_rsk(req)->ir_sport;
	newicsk->icsk_retransmits = newicsk->icsk_backoff = newicsk->icsk_probes_out = 0;
	return newsk;
}

int inet_csk_listen_start(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	sk->sk_ack_backlog = 0;
	tcp_set_state(sk, TCP_LISTEN);
	if (!sk->sk_prot->get_port(sk, sk->__sk_common.skc_num)) {
		icsk->icsk_inet.inet_sport = swab16(sk->__sk_common.skc_num);
		inet_hash(sk);
		return 0;
	}
	tcp_set_state(sk, TCP_CLOSE);
	return -EADDRINUSE;
}

/* Connections nobody accepted go with the listener. */
void inet_csk_listen_stop(struct sock *sk)
{
	struct request_sock *req;
	while ((req = reqsk_queue_remove(sk))) {
		inet_child_forget(req->sk);
		reqsk_put(req);
	}
}

/* Sleeps until a connection waits to be accepted. The socket is locked. */
int inet_csk_wait_for_connect(struct sock *sk)
{
	int error;
	release_sock(sk);
	error = (int)wait_event_interruptible(&sk->sk_wq, !list_empty(&inet_csk(sk)->icsk_accept_queue.rskq_accept) ||
								  sk->__sk_common.skc_state != TCP_LISTEN);
	lock_sock(sk);
	return error;
}

/* The first connection whose handshake is complete; sleeps until there is one. */
struct sock *inet_csk_accept(struct sock *sk, int flags, int *err, bool kern)
{
	struct request_sock *req = NULL;
	struct sock *newsk = NULL;
	(void)flags;
	(void)kern;
	*err = 0;
	lock_sock(sk);
	while (!*err && !(req = reqsk_queue_remove(sk)))
		*err = sk->__sk_common.skc_state != TCP_LISTEN ? -EINVAL : inet_csk_wait_for_connect(sk);
	release_sock(sk);
	if (req) {
		newsk = req->sk;
		reqsk_put(req);
	}
	return newsk;
}

/* Nobody has the socket any more, neither a task nor the network. */
void inet_csk_destroy_sock(struct sock *sk)
{
	tcp_v4_destroy_sock(sk);
	sock_put(sk);
}
