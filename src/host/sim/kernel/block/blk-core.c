/* The front of the block layer: bios. */
#include "blk.h"
#include "journal.h"
#include "uapi.h"

static struct kmem_cache bio_cachep;

void bio_cache_init(void) { kmem_cache_create(&bio_cachep, "bio", sizeof(struct bio)); }

struct bio *bio_alloc(struct block_device *bdev, blk_opf_t opf, gfp_t gfp)
{
	struct bio *bio = kmem_cache_alloc(&bio_cachep, gfp);
	if (!bio)
		return NULL;
	memset(bio, 0, sizeof(*bio));
	bio->bi_bdev = bdev;
	bio->bi_opf = opf;
	return bio;
}

void bio_put(struct bio *bio)
{
	if (bio)
		kmem_cache_free(&bio_cachep, bio);
}

void bio_endio(struct bio *bio)
{
	void (*end_io)(struct bio *) = bio->bi_end_io;
	if (end_io)
		end_io(bio);
}

/* -EIO if it reaches past the end of the device. */
int bio_check_eod(struct bio *bio)
{
	sector_t sectors = bio->bi_iter.bi_size >> SECTOR_SHIFT;
	sector_t limit = bio->bi_bdev->bd_nr_sectors;
	if (sectors && (sectors > limit || bio->bi_iter.bi_sector > limit - sectors))
		return -EIO;
	return 0;
}

unsigned int bio_sectors(const struct bio *bio) { return bio->bi_iter.bi_size >> SECTOR_SHIFT; }

void __submit_bio(struct bio *bio)
{
	bio->bi_iter.bi_sector += bio->bi_bdev->bd_start_sect;
	blk_mq_submit_bio(bio);
}

void submit_bio_noacct(struct bio *bio)
{
	if (unlikely(bio_check_eod(bio))) {
		bio->bi_status = 10;
		bio_endio(bio);
		return;
	}
	journal(J_BIO_QUEUE, (u64)bio, bio->bi_iter.bi_sector, bio->bi_iter.bi_size, bio->bi_opf & REQ_OP_MASK);
	trace(block_bio_queue, bio);
	__submit_bio(bio);
}

void submit_bio(struct bio *bio)
{
	if ((bio->bi_opf & REQ_OP_MASK) == REQ_OP_WRITE)
		bio->bi_bdev->bd_writes++;
	else
		bio->bi_bdev->bd_reads++;
	submit_bio_noacct(bio);
}

struct completion {
	volatile int done;
	struct wait_queue_head wait;
};

void submit_bio_wait_endio(struct bio *bio)
{
	struct completion *completion = bio->bi_private;
	u64 flags = _raw_spin_lock_irqsave(&completion->wait.lock);
	completion->done = 1;
	if (!list_empty(&completion->wait.head)) {
		struct wait_queue_entry *wait =
			list_first_entry(&completion->wait.head, struct wait_queue_entry, entry);
		try_to_wake_up(wait->private, TASK_NORMAL);
	}
	_raw_spin_unlock_irqrestore(&completion->wait.lock, flags);
}

/* The completion is on this stack: done is only believed under its lock, which the waker has then left. */
bool completion_done(struct completion *completion)
{
	u64 flags = _raw_spin_lock_irqsave(&completion->wait.lock);
	bool done = completion->done != 0;
	_raw_spin_unlock_irqrestore(&completion->wait.lock, flags);
	return done;
}

int submit_bio_wait(struct bio *bio)
{
	struct completion completion = { .done = 0 };
	init_waitqueue_head(&completion.wait);
	bio->bi_private = &completion;
	bio->bi_end_io = submit_bio_wait_endio;
	submit_bio(bio);
	wait_event(&completion.wait, completion_done(&completion));
	return bio->bi_status ? -EIO : 0;
}
