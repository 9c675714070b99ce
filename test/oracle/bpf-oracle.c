// SPDX-License-Identifier: MIT
//
// A tiny bpf(2) server for differential tests: requests on stdin, answers on stdout, until EOF.
//
//   request  = u32 length of the rest, u32 operation, operands
//   answer   = u32 length of the rest, s32 result (0, a count, or -errno), payload
//
// Integers are little-endian, byte strings carry a u32 length in front. Objects are named by slots
// that the *client* chooses, so that it can send "create a map in slot 3, load a program that uses
// slot 3, run it, read the map" in one write without waiting for an answer in between.
//
// It loads, test-runs and reads; there is deliberately no operation that attaches anything.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum op {
	OP_HELLO = 1,
	OP_CLOSE,
	OP_PROG_LOAD,
	OP_TEST_RUN,
	OP_MAP_CREATE,
	OP_MAP_LOOKUP,
	OP_MAP_UPDATE,
	OP_MAP_DELETE,
	OP_MAP_NEXT_KEY,
	OP_MAP_LOOKUP_AND_DELETE,
	OP_MAP_FREEZE,
	OP_RINGBUF_READ,
	OP_RINGBUF_CONSUME,
	OP_BTF_LOAD,
	OP_OBJ_INFO,
};

enum { SLOTS = 1 << 16, MAX_REQUEST = 64 << 20, MAX_LOG = 32 << 20 };

// Room for attributes that are newer than the headers this was compiled with.
union attr {
	union bpf_attr a;
	uint8_t raw[256];
};

static int fds[SLOTS];
static uint8_t *log_buf;

static long bpf(int cmd, union attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

static void die(const char *why)
{
	fprintf(stderr, "bpf-oracle: %s\n", why);
	exit(2);
}

// --- request under the cursor -----------------------------------------------------------------

static uint8_t *in, *in_end;

static uint8_t *take(size_t n)
{
	uint8_t *at = in;

	if ((size_t)(in_end - in) < n)
		die("request is shorter than its operands");
	in += n;
	return at;
}

static uint32_t u32(void)
{
	uint32_t v;

	memcpy(&v, take(4), 4);
	return v;
}

static uint64_t u64(void)
{
	uint64_t v;

	memcpy(&v, take(8), 8);
	return v;
}

// A byte string, copied to memory of its own: attributes want aligned pointers. Freed by reset().
static void *owned[64];
static unsigned int owned_count;

static void *own(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p || owned_count == 64)
		die("out of memory");
	return owned[owned_count++] = p;
}

static void *bytes(uint32_t *len)
{
	uint32_t n = u32();
	uint8_t *from = take(n);
	void *to = own((size_t)n + 1);

	memcpy(to, from, n);
	*len = n;
	return to;
}

static void reset(void)
{
	while (owned_count)
		free(owned[--owned_count]);
}

static uint32_t slot_number(void)
{
	uint32_t n = u32();

	if (n >= SLOTS)
		die("slot out of range");
	return n;
}

static int fd_in(uint32_t n)
{
	return n < SLOTS ? fds[n] : -1;
}

static long put_fd(uint32_t slot, long fd)
{
	if (fd < 0)
		return fd;
	if (fds[slot] >= 0)
		close(fds[slot]);
	fds[slot] = (int)fd;
	return 0;
}

// --- answer -------------------------------------------------------------------------------------

static void put(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		die("cannot write the answer");
}

static void put_u32(uint32_t v)
{
	put(&v, 4);
}

static void answer(long result, size_t payload)
{
	put_u32((uint32_t)(4 + payload));
	put_u32((uint32_t)(int32_t)result);
}

static void answer_bytes(long result, const void *p, size_t n)
{
	answer(result, result < 0 ? 0 : n);
	if (result >= 0)
		put(p, n);
}

// --- operations ---------------------------------------------------------------------------------

static void op_hello(void)
{
	struct utsname u;
	FILE *f = fopen("/sys/devices/system/cpu/possible", "r");
	int first = 0, last = 0;

	if (f) {
		if (fscanf(f, "%d-%d", &first, &last) < 2)
			last = first;
		fclose(f);
	}
	uname(&u);
	answer(last + 1, strlen(u.release));
	put(u.release, strlen(u.release));
}

static void op_close(void)
{
	uint32_t slot = slot_number();

	if (fds[slot] >= 0)
		close(fds[slot]);
	fds[slot] = -1;
	answer(0, 0);
}

// Map references in 64-bit immediate loads name slots; the kernel wants descriptors.
static void resolve_maps(struct bpf_insn *insns, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD || insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = fd_in((uint32_t)insns[i].imm);
		i++;
	}
}

// Nanoseconds of a clock that only goes forward.
static uint64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static void op_prog_load(void)
{
	union attr at = {};
	uint32_t slot = slot_number();
	uint32_t len, log_size, btf_slot, true_size;
	uint64_t began, took;
	size_t log_len = 0;
	struct bpf_insn *insns;
	void *name;
	long ret;

	at.a.prog_type = u32();
	at.a.expected_attach_type = u32();
	at.a.prog_flags = u32();
	at.a.attach_btf_id = u32();
	at.a.log_level = u32();
	log_size = u32();
	btf_slot = u32();
	name = bytes(&len);
	memcpy(at.a.prog_name, name, len < 15 ? len : 15);
	at.a.license = (uint64_t)(uintptr_t)bytes(&len);
	insns = bytes(&len);
	at.a.insn_cnt = len / sizeof(*insns);
	resolve_maps(insns, at.a.insn_cnt);
	at.a.insns = (uint64_t)(uintptr_t)insns;
	// BPF_PSEUDO_MAP_IDX: slots are indices of the descriptor array.
	at.a.fd_array = (uint64_t)(uintptr_t)fds;
	at.a.func_info = (uint64_t)(uintptr_t)bytes(&len);
	at.a.func_info_rec_size = len ? sizeof(struct bpf_func_info) : 0;
	at.a.func_info_cnt = len / sizeof(struct bpf_func_info);
	at.a.line_info = (uint64_t)(uintptr_t)bytes(&len);
	at.a.line_info_rec_size = len ? sizeof(struct bpf_line_info) : 0;
	at.a.line_info_cnt = len / sizeof(struct bpf_line_info);
	if (btf_slot != UINT32_MAX)
		at.a.prog_btf_fd = (uint32_t)fd_in(btf_slot);
	if (log_size > MAX_LOG)
		log_size = MAX_LOG;
	if (at.a.log_level) {
		log_buf[0] = 0;
		at.a.log_buf = (uint64_t)(uintptr_t)log_buf;
		at.a.log_size = log_size;
	}
	began = now();
	ret = put_fd(slot, bpf(BPF_PROG_LOAD, &at));
	took = now() - began;
	if (at.a.log_level)
		log_len = strnlen((char *)log_buf, log_size);
	// log_true_size follows core_relo_rec_size since Linux 6.4.
	memcpy(&true_size, at.raw + offsetof(union bpf_attr, core_relo_rec_size) + 4, 4);
	answer(ret, 12 + log_len);
	put_u32(true_size);
	put(&took, sizeof(took));
	put(log_buf, log_len);
}

static void op_test_run(void)
{
	union attr at = {};
	uint32_t data_room, ctx_room;
	uint8_t *data, *ctx;
	long ret;

	at.a.test.prog_fd = (uint32_t)fd_in(u32());
	at.a.test.repeat = u32();
	at.a.test.flags = u32();
	at.a.test.cpu = u32();
	at.a.test.batch_size = u32();
	data_room = u32();
	ctx_room = u32();
	at.a.test.data_in = (uint64_t)(uintptr_t)bytes(&at.a.test.data_size_in);
	at.a.test.ctx_in = (uint64_t)(uintptr_t)bytes(&at.a.test.ctx_size_in);
	if (!at.a.test.data_size_in)
		at.a.test.data_in = 0;
	if (!at.a.test.ctx_size_in)
		at.a.test.ctx_in = 0;
	if (data_room > MAX_REQUEST || ctx_room > MAX_REQUEST)
		die("output buffer too large");
	data = own(data_room);
	ctx = own(ctx_room);
	at.a.test.data_size_out = data_room;
	at.a.test.data_out = data_room ? (uint64_t)(uintptr_t)data : 0;
	at.a.test.ctx_size_out = ctx_room;
	at.a.test.ctx_out = ctx_room ? (uint64_t)(uintptr_t)ctx : 0;
	ret = bpf(BPF_PROG_TEST_RUN, &at);
	if (at.a.test.data_size_out < data_room)
		data_room = at.a.test.data_size_out;
	if (at.a.test.ctx_size_out < ctx_room)
		ctx_room = at.a.test.ctx_size_out;
	answer(ret, 20 + (size_t)data_room + ctx_room);
	put_u32(at.a.test.retval);
	put_u32(at.a.test.duration);
	put_u32(at.a.test.data_size_out);
	put_u32(at.a.test.ctx_size_out);
	put_u32(data_room);
	put(data, data_room);
	put(ctx, ctx_room);
}

static void op_map_create(void)
{
	union attr at = {};
	uint32_t slot = slot_number();
	uint32_t len, inner_slot, btf_slot;
	void *name;

	at.a.map_type = u32();
	at.a.key_size = u32();
	at.a.value_size = u32();
	at.a.max_entries = u32();
	at.a.map_flags = u32();
	at.a.map_extra = u64();
	inner_slot = u32();
	btf_slot = u32();
	at.a.btf_key_type_id = u32();
	at.a.btf_value_type_id = u32();
	name = bytes(&len);
	memcpy(at.a.map_name, name, len < 15 ? len : 15);
	if (inner_slot != UINT32_MAX)
		at.a.inner_map_fd = (uint32_t)fd_in(inner_slot);
	if (btf_slot != UINT32_MAX)
		at.a.btf_fd = (uint32_t)fd_in(btf_slot);
	answer(put_fd(slot, bpf(BPF_MAP_CREATE, &at)), 0);
}

static void op_map_lookup(int cmd)
{
	union attr at = {};
	uint32_t len, room;
	uint8_t *value;
	long ret;

	at.a.map_fd = (uint32_t)fd_in(u32());
	at.a.flags = u64();
	room = u32();
	at.a.key = (uint64_t)(uintptr_t)bytes(&len);
	if (!len)
		at.a.key = 0;
	if (room > MAX_REQUEST)
		die("value too large");
	value = own(room);
	at.a.value = (uint64_t)(uintptr_t)value;
	ret = bpf(cmd, &at);
	answer_bytes(ret, value, room);
}

static void op_map_update(void)
{
	union attr at = {};
	uint32_t len, value_is_slot;
	int32_t fd;
	void *value;

	at.a.map_fd = (uint32_t)fd_in(u32());
	at.a.flags = u64();
	value_is_slot = u32();
	at.a.key = (uint64_t)(uintptr_t)bytes(&len);
	if (!len)
		at.a.key = 0;
	value = bytes(&len);
	if (value_is_slot && len == 4) {
		memcpy(&fd, value, 4);
		fd = fd_in((uint32_t)fd);
		memcpy(value, &fd, 4);
	}
	at.a.value = (uint64_t)(uintptr_t)value;
	answer(bpf(BPF_MAP_UPDATE_ELEM, &at), 0);
}

static void op_map_delete(void)
{
	union attr at = {};
	uint32_t len;

	at.a.map_fd = (uint32_t)fd_in(u32());
	at.a.key = (uint64_t)(uintptr_t)bytes(&len);
	if (!len)
		at.a.key = 0;
	answer(bpf(BPF_MAP_DELETE_ELEM, &at), 0);
}

static void op_map_next_key(void)
{
	union attr at = {};
	uint32_t len, has_key, key_size;
	uint8_t *next;
	void *key;
	long ret;

	at.a.map_fd = (uint32_t)fd_in(u32());
	has_key = u32();
	key_size = u32();
	key = bytes(&len);
	if (key_size > MAX_REQUEST)
		die("key too large");
	next = own(key_size);
	at.a.key = has_key ? (uint64_t)(uintptr_t)key : 0;
	at.a.next_key = (uint64_t)(uintptr_t)next;
	ret = bpf(BPF_MAP_GET_NEXT_KEY, &at);
	answer_bytes(ret, next, key_size);
}

static void op_map_freeze(void)
{
	union attr at = {};

	at.a.map_fd = (uint32_t)fd_in(u32());
	answer(bpf(BPF_MAP_FREEZE, &at), 0);
}

// Consumer position, producer position and the whole data area, as a consumer maps them.
static void op_ringbuf_read(void)
{
	int fd = fd_in(u32());
	uint32_t size = u32();
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *consumer, *producer;
	int err;

	if (size > MAX_REQUEST)
		die("ring too large");
	consumer = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED) {
		answer(-errno, 0);
		return;
	}
	producer = mmap(NULL, (size_t)page + 2 * (size_t)size, PROT_READ, MAP_SHARED, fd, page);
	err = errno;
	if (producer == MAP_FAILED) {
		answer(-err, 0);
	} else {
		answer(0, 16 + (size_t)size);
		put(consumer, 8);
		put(producer, 8);
		put(producer + page, size);
		munmap(producer, (size_t)page + 2 * (size_t)size);
	}
	munmap(consumer, (size_t)page);
}

static void op_ringbuf_consume(void)
{
	int fd = fd_in(u32());
	uint64_t pos = u64();
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *consumer = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (consumer == MAP_FAILED) {
		answer(-errno, 0);
		return;
	}
	__atomic_store_n((uint64_t *)consumer, pos, __ATOMIC_RELEASE);
	munmap(consumer, (size_t)page);
	answer(0, 0);
}

static void op_btf_load(void)
{
	union attr at = {};
	uint32_t slot = slot_number();

	at.a.btf = (uint64_t)(uintptr_t)bytes(&at.a.btf_size);
	answer(put_fd(slot, bpf(BPF_BTF_LOAD, &at)), 0);
}

static void op_obj_info(void)
{
	union attr at = {};
	uint32_t size;
	uint8_t *info;
	long ret;

	at.a.info.bpf_fd = (uint32_t)fd_in(u32());
	size = u32();
	if (size > 4096)
		die("info too large");
	info = own(size);
	at.a.info.info_len = size;
	at.a.info.info = (uint64_t)(uintptr_t)info;
	ret = bpf(BPF_OBJ_GET_INFO_BY_FD, &at);
	answer_bytes(ret, info, size);
}

static void serve(void)
{
	switch ((enum op)u32()) {
	case OP_HELLO: op_hello(); return;
	case OP_CLOSE: op_close(); return;
	case OP_PROG_LOAD: op_prog_load(); return;
	case OP_TEST_RUN: op_test_run(); return;
	case OP_MAP_CREATE: op_map_create(); return;
	case OP_MAP_LOOKUP: op_map_lookup(BPF_MAP_LOOKUP_ELEM); return;
	case OP_MAP_UPDATE: op_map_update(); return;
	case OP_MAP_DELETE: op_map_delete(); return;
	case OP_MAP_NEXT_KEY: op_map_next_key(); return;
	case OP_MAP_LOOKUP_AND_DELETE: op_map_lookup(BPF_MAP_LOOKUP_AND_DELETE_ELEM); return;
	case OP_MAP_FREEZE: op_map_freeze(); return;
	case OP_RINGBUF_READ: op_ringbuf_read(); return;
	case OP_RINGBUF_CONSUME: op_ringbuf_consume(); return;
	case OP_BTF_LOAD: op_btf_load(); return;
	case OP_OBJ_INFO: op_obj_info(); return;
	}
	die("unknown operation");
}

// --- input stream -------------------------------------------------------------------------------

static uint8_t *buffer;
static size_t have, used, room = 1 << 20;

// Makes `want` bytes available at buffer + used. Before it blocks, everything answered goes out.
static int fill(size_t want)
{
	while (have - used < want) {
		ssize_t n;

		if (used) {
			memmove(buffer, buffer + used, have - used);
			have -= used;
			used = 0;
		}
		if (room < want) {
			room = want;
			buffer = realloc(buffer, room);
			if (!buffer)
				die("out of memory");
		}
		fflush(stdout);
		n = read(STDIN_FILENO, buffer + have, room - have);
		if (n < 0)
			die("cannot read a request");
		if (n == 0)
			return 0;
		have += (size_t)n;
	}
	return 1;
}

// Free lists, LRU lists and spare elements are per CPU: on a single one the kernel's answers do not depend on
// where the scheduler has put us between two requests.
static void stay_on_one_cpu(void)
{
	cpu_set_t cpus;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		die("sched_getaffinity");
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
}

int main(void)
{
	uint32_t length;

	stay_on_one_cpu();

	for (int i = 0; i < SLOTS; i++)
		fds[i] = -1;
	buffer = malloc(room);
	log_buf = malloc(MAX_LOG);
	if (!buffer || !log_buf)
		die("out of memory");
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	while (fill(4)) {
		memcpy(&length, buffer + used, 4);
		if (length > MAX_REQUEST)
			die("request too large");
		if (!fill(4 + (size_t)length))
			die("request is cut off");
		in = buffer + used + 4;
		in_end = in + length;
		used += 4 + (size_t)length;
		serve();
		reset();
	}
	return 0;
}
