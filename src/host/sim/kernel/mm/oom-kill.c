/* When nothing can be freed: the process that has most is killed, and what it had is there for the others. */
#include "fs.h"
#include "journal.h"
#include "vmstat.h"

#define LONG_MIN (-0x7fffffffffffffffL - 1)
#define OOM_SCORE_ADJ_MIN (-1000)
#define OOM_ABORTED ((struct task_struct *)-1UL)

struct mutex oom_lock = __MUTEX_INITIALIZER(oom_lock);

bool tsk_is_oom_victim(struct task_struct *tsk) { return tsk->signal->oom_mm != NULL; }

bool oom_unkillable_task(struct task_struct *p) { return p == init_process || (p->flags & PF_KTHREAD); }

unsigned long get_mm_rss(struct mm_struct *mm)
{
	return (unsigned long)(mm->rss_stat.count[MM_FILEPAGES].counter + mm->rss_stat.count[MM_ANONPAGES].counter);
}

/* The pages it has, shifted by what oom_score_adj says, in thousandths of all memory. The list of tasks is locked. */
long oom_badness(struct task_struct *p, unsigned long totalpages)
{
	long points, adj = p->signal->oom_score_adj;
	if (oom_unkillable_task(p) || !p->mm || adj == OOM_SCORE_ADJ_MIN)
		return LONG_MIN;
	points = (long)(get_mm_rss(p->mm) + p->mm->pgtables_bytes / PAGE_SIZE);
	return points + adj * (long)(totalpages / 1000);
}

/* True: no need to look on, somebody is dying already. */
bool oom_evaluate_task(struct task_struct *task, struct oom_control *oc)
{
	long points;
	if (tsk_is_oom_victim(task) && !task->exit_state) {
		oc->chosen = OOM_ABORTED;
		return true;
	}
	points = oom_badness(task, oc->totalpages);
	if (points == LONG_MIN || points < oc->chosen_points)
		return false;
	oc->chosen = task;
	oc->chosen_points = points;
	return false;
}

/* With a reference to whom it chose. */
void select_bad_process(struct oom_control *oc)
{
	struct list_head *pos;
	oc->chosen_points = LONG_MIN;
	_raw_spin_lock(&tasklist_lock);
	list_for_each(pos, &init_task.tasks) {
		struct task_struct *p = list_entry(pos, struct task_struct, tasks);
		if (p->group_leader == p && p->signal && oom_evaluate_task(p, oc))
			break;
	}
	if (oc->chosen && oc->chosen != OOM_ABORTED)
		atomic_inc(&oc->chosen->usage);
	_raw_spin_unlock(&tasklist_lock);
}

/* It may use the reserves, so that it can die. */
void mark_oom_victim(struct task_struct *tsk)
{
	_raw_spin_lock(&tasklist_lock);
	if (tsk->mm && !tsk->signal->oom_mm) {
		tsk->signal->oom_mm = tsk->mm;
		journal(J_OOM_VICTIM, pid_tgid(tsk), tsk->mm->total_vm, get_mm_rss(tsk->mm), 0);
		trace(mark_victim, tsk, tsk->real_cred->uid.val);
	}
	_raw_spin_unlock(&tasklist_lock);
}

bool task_will_free_mem(struct task_struct *task)
{
	return task->mm && ((task->flags & PF_EXITING) || (task->signal->flags & SIGNAL_GROUP_EXIT));
}

void __oom_kill_process(struct task_struct *victim, const char *message)
{
	mark_oom_victim(victim);
	printk(message);
	printk(": Killed process ");
	printk(victim->comm);
	printk("\n");
	send_sig(SIGKILL, victim);
	put_task_struct(victim);
}

void oom_kill_process(struct oom_control *oc, const char *message)
{
	struct task_struct *victim = oc->chosen;
	journal(J_OOM_KILL, pid_tgid(current), pid_tgid(victim), oc->totalpages, (u64)oc->chosen_points);
	if (task_will_free_mem(victim)) {
		mark_oom_victim(victim);
		put_task_struct(victim);
		return;
	}
	__oom_kill_process(victim, message);
}

/* True if somebody dies, so that it is worth trying again. */
bool out_of_memory(struct oom_control *oc)
{
	if (task_will_free_mem(current)) {
		mark_oom_victim(current);
		return true;
	}
	oc->totalpages = totalram_pages;
	select_bad_process(oc);
	if (!oc->chosen)
		panic("System is deadlocked on memory");
	if (oc->chosen != OOM_ABORTED)
		oom_kill_process(oc, "Out of memory");
	return true;
}
