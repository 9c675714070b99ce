/* System calls told of by whichever of two ring buffers and a perf event array has its turn, with the time of each. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct poll_event {
	__u64 time;
	__u32 cpu;
	__u32 number;
};

const struct poll_event *unused_event __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

__u32 numbers = 0;

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct poll_event event = {
		.time = bpf_ktime_get_ns(),
		.cpu = bpf_get_smp_processor_id(),
		.number = __sync_fetch_and_add(&numbers, 1),
	};
	if (event.number % 3 == 0)
		bpf_ringbuf_output(&first, &event, sizeof(event), 0);
	else if (event.number % 3 == 1)
		bpf_ringbuf_output(&second, &event, sizeof(event), 0);
	else
		bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}

char _license[] SEC("license") = "GPL";
