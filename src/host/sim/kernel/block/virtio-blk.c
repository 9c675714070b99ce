/* The disk's driver. */
#include "blk.h"
#include "irq.h"
#include "uapi.h"

#define VIRTBLK_MAJOR 253
#define QUEUE_DEPTH 4
#define BLOCK_IRQ (BLOCK_VECTOR - 0x18)

struct block_command {
	u64 tag;
	u64 sector;
	u32 bytes;
	u32 write;
	u64 buffer;
};

static struct request_queue vda_queue;
static struct block_device vda_part0;
static struct gendisk vda_disk;
static struct request *vda_tags[QUEUE_DEPTH];
struct block_device *vda;

void bio_cache_init(void);
void blk_mq_init_cache(void);
void blk_mq_complete_request(struct blk_mq_hw_ctx *hctx, struct request *rq);

int virtblk_get_tag(struct request *rq)
{
	int tag;
	for (tag = 0; tag < QUEUE_DEPTH; tag++)
		if (!vda_tags[tag])
			break;
	if (tag == QUEUE_DEPTH)
		return -EAGAIN;
	vda_tags[tag] = rq;
	return tag;
}

/* Called with the queue locked. Non-zero if the device takes no more now. */
int virtio_queue_rq(struct blk_mq_hw_ctx *hctx, struct request *rq)
{
	struct block_command command;
	int tag = virtblk_get_tag(rq);
	if (tag < 0)
		return tag;
	list_del_init(&rq->queuelist);
	rq->tag = tag;
	hctx->in_flight++;
	blk_mq_start_request(rq);
	command.tag = (u64)tag;
	command.sector = rq->__sector;
	command.bytes = rq->__data_len;
	command.write = (rq->cmd_flags & REQ_OP_MASK) == REQ_OP_WRITE;
	command.buffer = rq->bio->bi_phys;
	hypercall(HC_BLOCK, (u64)&command, 0, 0, 0, 0);
	return 0;
}

struct request *virtblk_put_tag(struct blk_mq_hw_ctx *hctx, u64 tag)
{
	struct request *rq = NULL;
	u64 flags = _raw_spin_lock_irqsave(&hctx->lock);
	if (tag < QUEUE_DEPTH) {
		rq = vda_tags[tag];
		vda_tags[tag] = NULL;
		hctx->in_flight--;
	}
	_raw_spin_unlock_irqrestore(&hctx->lock, flags);
	return rq;
}

enum irqreturn virtblk_done(int irq, void *dev)
{
	struct request_queue *q = dev;
	enum irqreturn result = IRQ_NONE;
	(void)irq;
	for (;;) {
		u64 tag = hypercall(HC_BLOCK_DONE, 0, 0, 0, 0, 0);
		struct request *rq;
		if (tag == ~0UL)
			return result;
		rq = virtblk_put_tag(&q->hctx, tag);
		if (!rq)
			panic("the disk completed what it was never given");
		blk_mq_complete_request(&q->hctx, rq);
		result = IRQ_HANDLED;
	}
}

void blk_dev_init(u64 sectors)
{
	bio_cache_init();
	blk_mq_init_cache();
	INIT_LIST_HEAD(&vda_queue.hctx.dispatch);
	vda_queue.hctx.queue_depth = QUEUE_DEPTH;
	vda_queue.disk = &vda_disk;
	vda_disk.major = VIRTBLK_MAJOR;
	vda_disk.minors = 16;
	vda_disk.part0 = &vda_part0;
	vda_disk.queue = &vda_queue;
	strscpy(vda_disk.disk_name, "vda", sizeof(vda_disk.disk_name));
	vda_part0.bd_disk = &vda_disk;
	vda_part0.bd_queue = &vda_queue;
	vda_part0.bd_dev = VIRTBLK_MAJOR << 20;
	vda_part0.bd_nr_sectors = sectors;
	vda = &vda_part0;
	if (request_irq(BLOCK_IRQ, virtblk_done, "virtio0-req.0", &vda_queue))
		panic("the disk's interrupt is taken");
}
