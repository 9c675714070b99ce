/*
 * The heap. Blocks have powers of two as sizes and come from lists of free ones, or from memory that brk adds; large ones are
 * mapped. A header in front of each says how large it is.
 */
#include "libc.h"
#include "sdt.h"

#define SMALLEST 5
#define LARGEST 16
#define HEAP_STEP 16384UL
#define MAPPED 1UL
#define MOVED 2UL

struct chunk {
	/* Bytes with this header, and flags. */
	unsigned long size;
	/* The next free one; of an aligned block, the chunk that it lies in. */
	struct chunk *next;
};

static struct chunk *bins[LARGEST + 1];
static char *heap, *heap_end;
static volatile int heap_lock;

USDT_SEMAPHORE(libc, memory_sbrk_more);

static void lock_heap(void)
{
	while (__atomic_exchange_n(&heap_lock, 1, __ATOMIC_ACQUIRE))
		syscall(__NR_sched_yield);
}

static void unlock_heap(void) { __atomic_store_n(&heap_lock, 0, __ATOMIC_RELEASE); }

/* The end of the heap before it was moved, or -1. */
void *sbrk(long increment)
{
	long end = syscall(__NR_brk, 0L);
	if (increment && syscall(__NR_brk, end + increment) != end + increment)
		return (void *)-1;
	return (void *)end;
}

void *mmap(void *address, size_t length, int prot, int flags, int fd, long offset)
{
	return (void *)syscall(__NR_mmap, address, length, (long)prot, (long)flags, (long)fd, offset);
}

int munmap(void *address, size_t length) { return (int)syscall(__NR_munmap, address, length); }

static int class_of(unsigned long size)
{
	int class = SMALLEST;
	while (1UL << class < size)
		class++;
	return class;
}

static struct chunk *grow_heap(unsigned long size)
{
	unsigned long step = size > HEAP_STEP ? size : HEAP_STEP;
	char *more;
	if ((unsigned long)(heap_end - heap) < size) {
		more = sbrk((long)step);
		if (more == (char *)-1)
			return NULL;
		USDT_PROBE2(libc, memory_sbrk_more, more, step);
		if (more != heap_end)
			heap = more;
		heap_end = more + step;
	}
	heap += size;
	return (struct chunk *)(heap - size);
}

static struct chunk *take_chunk(int class)
{
	struct chunk *chunk = bins[class];
	if (chunk)
		bins[class] = chunk->next;
	else
		chunk = grow_heap(1UL << class);
	if (chunk)
		chunk->size = 1UL << class;
	return chunk;
}

static struct chunk *map_chunk(unsigned long size)
{
	struct chunk *chunk;
	size = (size + 4095) & ~4095UL;
	chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((unsigned long)chunk > -4096UL)
		return NULL;
	chunk->size = size | MAPPED;
	return chunk;
}

static void *allocate(size_t size)
{
	struct chunk *chunk;
	if (size > 1UL << 40)
		return NULL;
	size += sizeof(*chunk);
	if (size > 1UL << LARGEST) {
		chunk = map_chunk(size);
		return chunk ? chunk + 1 : NULL;
	}
	lock_heap();
	chunk = take_chunk(class_of(size));
	unlock_heap();
	return chunk ? chunk + 1 : NULL;
}

static struct chunk *chunk_of(void *block)
{
	struct chunk *chunk = (struct chunk *)block - 1;
	return chunk->size & MOVED ? chunk->next : chunk;
}

static void release(void *block)
{
	struct chunk *chunk = chunk_of(block);
	int class;
	if (chunk->size & MAPPED) {
		munmap(chunk, chunk->size & ~MAPPED);
		return;
	}
	class = class_of(chunk->size);
	lock_heap();
	chunk->next = bins[class];
	bins[class] = chunk;
	unlock_heap();
}

static size_t usable_size(void *block)
{
	struct chunk *chunk = chunk_of(block);
	return (size_t)((char *)chunk + (chunk->size & ~MAPPED) - (char *)block);
}

void *malloc(size_t size) { return allocate(size); }

void free(void *block)
{
	if (block)
		release(block);
}

void *calloc(size_t count, size_t size)
{
	void *block;
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	block = allocate(bytes);
	return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *block, size_t size)
{
	size_t old = block ? usable_size(block) : 0;
	void *moved;
	if (block && size && size <= old)
		return block;
	moved = size ? allocate(size) : NULL;
	if (moved && block)
		memcpy(moved, block, old);
	if (block && (moved || !size))
		release(block);
	return moved;
}

/* `alignment` is a power of two. */
void *memalign(size_t alignment, size_t size)
{
	char *block = alignment < 1UL << 30 ? allocate(size + alignment + sizeof(struct chunk)) : NULL;
	struct chunk *inside;
	char *aligned;
	if (!block || !((unsigned long)block & (alignment - 1)))
		return block;
	aligned = (char *)(((unsigned long)block + sizeof(*inside) + alignment - 1) & ~(alignment - 1));
	inside = (struct chunk *)aligned - 1;
	inside->next = (struct chunk *)block - 1;
	inside->size = MOVED;
	return aligned;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
void *valloc(size_t size) { return memalign(4096, size); }

int posix_memalign(void **block, size_t alignment, size_t size)
{
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
		return EINVAL;
	*block = memalign(alignment, size);
	return *block ? 0 : ENOMEM;
}
