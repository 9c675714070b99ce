/* The block layer: bios in, requests to the disk, completions by interrupt. */
#pragma once
#include "mm.h"

#define SECTOR_SHIFT 9
enum req_op { REQ_OP_READ = 0, REQ_OP_WRITE = 1, REQ_OP_FLUSH = 2 };
#define REQ_OP_MASK 0xffu
#define REQ_SYNC (1u << 11)

struct gendisk;
struct request_queue;

struct block_device {
	dev_t bd_dev;
	u8 bd_partno;
	sector_t bd_start_sect;
	sector_t bd_nr_sectors;
	struct gendisk *bd_disk;
	struct request_queue *bd_queue;
	unsigned long bd_reads;
	unsigned long bd_writes;
};

struct gendisk {
	int minors;
	int major;
	int first_minor;
	char disk_name[32];
	struct block_device *part0;
	struct request_queue *queue;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
};

struct bio {
	struct bio *bi_next;
	blk_opf_t bi_opf;
	struct block_device *bi_bdev;
	struct bvec_iter bi_iter;
	blk_status_t bi_status;
	u64 bi_phys;
	void (*bi_end_io)(struct bio *);
	void *bi_private;
};

struct blk_mq_hw_ctx {
	spinlock_t lock;
	struct list_head dispatch;
	unsigned int in_flight;
	unsigned int queue_depth;
};

struct request_queue {
	struct gendisk *disk;
	struct blk_mq_hw_ctx hctx;
	unsigned long nr_requests;
};

#define RQF_STARTED 2u
#define RQF_IO_STAT 8192u
struct request {
	blk_opf_t cmd_flags;
	u32 rq_flags;
	int tag;
	unsigned int __data_len;
	sector_t __sector;
	struct request_queue *q;
	struct bio *bio;
	struct bio *biotail;
	struct list_head queuelist;
	struct block_device *part;
	u64 start_time_ns;
	u64 io_start_time_ns;
	int submit_cpu;
};

void blk_dev_init(u64 sectors);
struct bio *bio_alloc(struct block_device *bdev, blk_opf_t opf, gfp_t gfp);
void bio_put(struct bio *bio);
void bio_endio(struct bio *bio);
void submit_bio(struct bio *bio);
int submit_bio_wait(struct bio *bio);
void submit_bio_noacct(struct bio *bio);
void blk_mq_submit_bio(struct bio *bio);
void blk_mq_start_request(struct request *rq);
void blk_mq_end_request(struct request *rq, blk_status_t error);
int virtio_queue_rq(struct blk_mq_hw_ctx *hctx, struct request *rq);
extern struct block_device *vda;
