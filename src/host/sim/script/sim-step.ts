/** Signals that a step may send, with Linux's numbers. */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
} as const;
export type SimSignal = keyof typeof SIGNALS;

/**
 * A program and its arguments: a name stands for a file of /bin, a path for itself. In every word `$i` and `$j` are the
 * counters, from 0, of the innermost loop and of the one around it, and `$?` is what the last command came to; all else is as
 * it is written.
 */
export type SimCommand = readonly [program: string, ...args: string[]];

/** Runs one command, or several of which each reads what the one before it writes. */
export interface RunStep {
  readonly run: SimCommand | readonly SimCommand[];
  /** Variables of its environment besides those that were exported. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file that the (first) command reads instead of the console. */
  readonly input?: string;
  /** A file that the (last) command writes instead of the console. */
  readonly output?: string;
  /** Whether `output` is written behind what it has. */
  readonly append?: boolean;
  /** A file for the errors of the (last) command; 'output': they go where its output goes. */
  readonly errors?: string;
  /** The script goes on meanwhile. With a name, other steps can wait for it and send it signals. */
  readonly background?: boolean | string;
  /** A status other than 0 does not make the script fail. */
  readonly mayFail?: boolean;
}

/** Waits for everything in the background, or for what has that name. */
export interface WaitStep {
  readonly wait: 'all' | { readonly job: string };
}

/** Sends a signal to a job; one that is over hears nothing. How the job ends does not count from then on. */
export interface SignalStep {
  readonly signal: SimSignal;
  readonly job: string;
}

/** Sleeps for so many microseconds of virtual time. */
export interface SleepStep {
  readonly sleepUs: number;
}

/** Sleeps until so many microseconds after boot; not at all if they are over. */
export interface UntilStep {
  readonly untilUs: number;
}

/** Sets variables in the environment of all commands that follow. */
export interface ExportStep {
  readonly export: Readonly<Record<string, string>>;
}

/** Does steps so many times, or until the machine is stopped. */
export interface RepeatStep {
  readonly repeat: number | 'forever';
  readonly steps: readonly SimStep[];
}

/** One step of a workload of one's own. */
export type SimStep = RunStep | WaitStep | SignalStep | SleepStep | UntilStep | ExportStep | RepeatStep;
