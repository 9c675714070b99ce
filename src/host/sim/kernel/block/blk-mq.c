/* Requests: queued, issued as far as the device has room, completed. */
#include "blk.h"
#include "journal.h"
#include "irq.h"
#include "uapi.h"

static struct kmem_cache request_cachep;

void blk_mq_init_cache(void) { kmem_cache_create(&request_cachep, "request", sizeof(struct request)); }

void blk_account_io_start(struct request *rq)
{
	rq->start_time_ns = rdtsc();
	if (rq->part)
		rq->rq_flags |= RQF_IO_STAT;
}

void blk_account_io_done(struct request *rq, u64 now)
{
	if (!(rq->rq_flags & RQF_IO_STAT))
		return;
	rq->q->nr_requests++;
	if (now < rq->start_time_ns)
		panic("a request was done before it began");
}

struct request *blk_mq_alloc_request(struct request_queue *q, struct bio *bio)
{
	struct request *rq = kmem_cache_alloc(&request_cachep, GFP_ATOMIC);
	if (!rq)
		return NULL;
	memset(rq, 0, sizeof(*rq));
	INIT_LIST_HEAD(&rq->queuelist);
	rq->q = q;
	rq->tag = -1;
	rq->cmd_flags = bio->bi_opf & 0xffff;
	rq->__sector = bio->bi_iter.bi_sector;
	rq->__data_len = bio->bi_iter.bi_size;
	rq->bio = rq->biotail = bio;
	rq->part = bio->bi_bdev;
	rq->submit_cpu = smp_processor_id();
	return rq;
}

void blk_mq_sched_insert_request(struct blk_mq_hw_ctx *hctx, struct request *rq)
{
	u64 flags = _raw_spin_lock_irqsave(&hctx->lock);
	journal(J_BLOCK_INSERT, (u64)rq, rq->__sector, rq->__data_len, rq->cmd_flags & REQ_OP_MASK);
	trace(block_rq_insert, rq);
	list_add_tail(&rq->queuelist, &hctx->dispatch);
	_raw_spin_unlock_irqrestore(&hctx->lock, flags);
}

void blk_mq_start_request(struct request *rq)
{
	rq->io_start_time_ns = rdtsc();
	rq->rq_flags |= RQF_STARTED;
	journal(J_BLOCK_ISSUE, (u64)rq, rq->__sector, rq->__data_len, rq->cmd_flags & REQ_OP_MASK);
	trace(block_rq_issue, rq);
}

/* Called with the queue locked: issues what the device has room for. */
void blk_mq_dispatch_rq_list(struct blk_mq_hw_ctx *hctx)
{
	while (!list_empty(&hctx->dispatch) && hctx->in_flight < hctx->queue_depth) {
		struct request *rq = list_first_entry(&hctx->dispatch, struct request, queuelist);
		if (virtio_queue_rq(hctx, rq))
			break;
	}
}

void blk_mq_run_hw_queue(struct blk_mq_hw_ctx *hctx)
{
	u64 flags;
	if (list_empty(&hctx->dispatch))
		return;
	flags = _raw_spin_lock_irqsave(&hctx->lock);
	blk_mq_dispatch_rq_list(hctx);
	_raw_spin_unlock_irqrestore(&hctx->lock, flags);
}

void blk_mq_submit_bio(struct bio *bio)
{
	struct request_queue *q = bio->bi_bdev->bd_queue;
	struct request *rq = blk_mq_alloc_request(q, bio);
	if (!rq) {
		bio->bi_status = 9;
		bio_endio(bio);
		return;
	}
	trace(block_getrq, bio);
	blk_account_io_start(rq);
	blk_mq_sched_insert_request(&q->hctx, rq);
	blk_mq_run_hw_queue(&q->hctx);
}

/* Tells of the bytes done and ends their bios; false when nothing is left of the request. */
bool blk_update_request(struct request *rq, blk_status_t error, unsigned int nr_bytes)
{
	journal(J_BLOCK_COMPLETE, (u64)rq, rq->__sector, nr_bytes, error);
	trace(block_rq_complete, rq, error, nr_bytes);
	while (rq->bio) {
		struct bio *bio = rq->bio;
		rq->bio = bio->bi_next;
		bio->bi_status = error;
		bio_endio(bio);
	}
	rq->__data_len = 0;
	return rq->__data_len != 0;
}

void __blk_mq_end_request(struct request *rq, blk_status_t error)
{
	(void)error;
	blk_account_io_done(rq, rdtsc());
	kmem_cache_free(&request_cachep, rq);
}

void blk_mq_end_request(struct request *rq, blk_status_t error)
{
	if (blk_update_request(rq, error, rq->__data_len))
		panic("part of a request was left over");
	__blk_mq_end_request(rq, error);
}

void blk_mq_complete_request(struct blk_mq_hw_ctx *hctx, struct request *rq)
{
	blk_mq_end_request(rq, 0);
	blk_mq_run_hw_queue(hctx);
}
