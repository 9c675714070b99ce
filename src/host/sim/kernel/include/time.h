/* Clocks and timers: hrtimers fire in the timer interrupt, timer_lists in the timer softirq. */
#pragma once
#include "list.h"
#include "trace.h"

#define NSEC_PER_SEC 1000000000L

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *);
	struct list_head node;
	ktime_t _softexpires;
	int cpu;
	u8 state;
	volatile u8 is_running;
};

struct timer_list {
	unsigned long expires;
	struct list_head entry;
	void (*function)(struct timer_list *);
	u32 flags;
};

extern volatile unsigned long jiffies;
extern u64 tick_ns;

static __always_inline ktime_t ktime_get(void) { return (ktime_t)rdtsc(); }

void hrtimers_init_cpu(int cpu);
void hrtimer_init(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *));
void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode);
int hrtimer_cancel(struct hrtimer *timer);
void hrtimer_interrupt(void);
long do_nanosleep(struct hrtimer *timer, ktime_t expires);
long hrtimer_nanosleep(ktime_t request);
int schedule_hrtimeout(const ktime_t *expires);

void init_timers_cpu(int cpu);
void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *));
int mod_timer(struct timer_list *timer, unsigned long expires);
int del_timer(struct timer_list *timer);
void run_timer_softirq(void);
void run_local_timers(void);
unsigned long get_next_timer_interrupt(void);

void tick_setup_sched_timer(void);
void tick_nohz_idle_stop_tick(void);
void tick_nohz_idle_exit(void);
void update_process_times(bool user);

long schedule_timeout(long ticks);
