/* What every workload shares. Each is one function from a packet to a number, made an XDP program by ENTRY().
 *
 * REPEAT is how often the program does its work in one run. Programs that take a few nanoseconds are compiled for
 * 1, 8 and 64: the slope of their times is the cost of the work without that of getting into the program. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifndef REPEAT
#define REPEAT 1
#endif

#define INL static inline __attribute__((always_inline))
#define SEC(n) __attribute__((section(n), used))
/* The compiler forgets what it knows of x: loops keep their counters, and repeated work is not merged. */
#define HIDE(x) asm volatile("" : "+r"(x))

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PERF_EVENT_ARRAY 4
#define BPF_MAP_TYPE_RINGBUF 27
#define __uint(n, v) int (*n)[v]
#define __type(n, v) v *n

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*bpf_perf_event_output)(void *ctx, void *map, u64 flags, void *data, u64 size) = (void *)25;
static void *(*bpf_ringbuf_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, u64 flags) = (void *)132;

struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };

#define ENTRY(name)                                                                                                  \
  SEC("xdp") int name(struct xdp_md *ctx) {                                                                          \
    u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;                                                 \
    u64 result = 0;                                                                                                  \
    _Pragma("clang loop unroll(disable)") for (u32 n = 0; n < REPEAT; n++) {                                         \
      result = name##_body(p, end);                                                                                  \
      HIDE(result);                                                                                                  \
      HIDE(p);                                                                                                       \
    }                                                                                                                \
    return (int)result;                                                                                              \
  }                                                                                                                  \
  SEC("license") char _license[] = "GPL";

/* The record that the tracing workloads read: the 64 bytes of data/event.bin. */
struct event { u64 ts; u32 pid, cpu; u64 delta; u32 prev, next; u8 comm[16]; u64 pad[2]; };
/* The record that ring and perf emit. */
struct record { u64 ts; u32 pid, cpu; u64 delta, seq; };
