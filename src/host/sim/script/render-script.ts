import { refuse } from './script-error.js';
import type { RepeatStep, RunStep, SimCommand, SimStep } from './sim-step.js';
import { SIGNALS } from './sim-step.js';

/** What the shell of the simulated machine can hold: /bin/sh. */
const ARGS_MAX = 28;
const STAGES_MAX = 8;
const WORDS_MAX = 60;
const LOOPS_MAX = 6;
const JOBS_MAX = 16;
const JOB_NAME_MAX = 15;
const SCRIPT_MAX = 12_288;
/** What the kernel hands to a program, its name and its environment besides. */
const ARGUMENT_BYTES = 2048;
const TIME_MAX = 1_000_000_000_000;

const NAME = /^[A-Za-z_]\w*$/;
const PROGRAM = /^[\w.+-]+$/;
const PLAIN = /^[\w./:,=+@%-]+$/;
/** Characters that no line of a script can hold. */
const CONTROL = /[\0\n\r]/;

/**
 * The shell script that does `steps`. `hasProgram` says which names are those of programs. Steps that the shell would not
 * take, or that name what is not there, are refused with the step, the value and a way out.
 */
export function renderScript(steps: readonly SimStep[], hasProgram: (name: string) => boolean): string {
  const text = `${new ScriptRenderer(hasProgram).block(steps, 'steps', 0).join('\n')}\n`;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > SCRIPT_MAX) refuse('steps', 'longer than a script may be', bytes, `at most ${SCRIPT_MAX} bytes`, 'E2BIG');
  return text;
}

class ScriptRenderer {
  readonly #hasProgram: (name: string) => boolean;
  readonly #jobs = new Set<string>();

  constructor(hasProgram: (name: string) => boolean) {
    this.#hasProgram = hasProgram;
  }

  block(steps: readonly SimStep[], where: string, depth: number): string[] {
    return steps.flatMap((step, i) => this.#step(step, `${where}[${i}]`, depth));
  }

  #step(step: SimStep, where: string, depth: number): string[] {
    if ('run' in step) return [this.#run(step, where)];
    if ('steps' in step) return this.#repeat(step, where, depth);
    if ('sleepUs' in step) return [`sleep ${time(step.sleepUs, `${where}.sleepUs`)}`];
    if ('untilUs' in step) return [`until ${time(step.untilUs, `${where}.untilUs`)}`];
    if ('export' in step) return assignments(step.export, `${where}.export`).map((each) => `export ${each}`);
    if ('wait' in step) return [step.wait === 'all' ? 'wait' : `wait ${this.#job(step.wait.job, `${where}.wait.job`)}`];
    if ('signal' in step) {
      const number: number | undefined = SIGNALS[step.signal];
      if (number === undefined) refuse(`${where}.signal`, 'no signal', step.signal, Object.keys(SIGNALS).join(', '));
      return [`kill ${number} ${this.#job(step.job, `${where}.job`)}`];
    }
    return refuse(where, 'no step', Object.keys(step).join(), 'run, wait, signal, sleepUs, untilUs, export or repeat');
  }

  #repeat({ repeat, steps }: RepeatStep, where: string, depth: number): string[] {
    if (depth === LOOPS_MAX) refuse(where, 'too deep a loop', depth + 1, `at most ${LOOPS_MAX}, one in another`);
    const isCount = repeat === 'forever' || (Number.isInteger(repeat) && repeat >= 0 && repeat <= 1e9);
    if (!isCount) refuse(`${where}.repeat`, 'no number of times', repeat, "a whole number from 0, or 'forever'");
    const head = repeat === 'forever' ? repeat : `repeat ${repeat}`;
    return [head, ...this.block(steps, `${where}.steps`, depth + 1), 'end'];
  }

  #run(step: RunStep, where: string): string {
    const commands = isSingle(step.run) ? [step.run] : step.run;
    const at = (i: number): string => (isSingle(step.run) ? `${where}.run` : `${where}.run[${i}]`);
    if (commands.length === 0 || commands.length > STAGES_MAX)
      refuse(`${where}.run`, 'no pipeline', commands.length, `one to ${STAGES_MAX} commands`);
    const env = assignments(step.env ?? {}, `${where}.env`);
    const stages = commands.map((command, i) => this.#command(command, env, at(i)));
    stages[0].push(...redirect('<', step.input, `${where}.input`));
    const last = stages[stages.length - 1];
    last.push(...redirect(step.append === true ? '>>' : '>', step.output, `${where}.output`));
    last.push(...(step.errors === 'output' ? ['2>&1'] : redirect('2>', step.errors, `${where}.errors`)));
    const words = stages.flatMap((stage, i) => (i === 0 ? stage : ['|', ...stage]));
    if (words.length > WORDS_MAX) refuse(where, 'too many words', words.length, `at most ${WORDS_MAX} in a pipeline`);
    return [...(step.mayFail === true ? ['try'] : []), ...words, ...this.#background(step, where)].join(' ');
  }

  #command(command: SimCommand, env: readonly string[], where: string): string[] {
    const [program, ...args]: readonly unknown[] = command;
    if (typeof program !== 'string' || !(PROGRAM.test(program) || program.startsWith('/')))
      refuse(`${where}[0]`, 'no name of a program', String(program), 'a name of /bin, or a path from /');
    if (!program.startsWith('/') && !this.#hasProgram(program))
      refuse(`${where}[0]`, 'no such program', program, 'give it to the machine with `files`', 'ENOENT');
    const words = [...env, quoted(program, `${where}[0]`, true)];
    args.forEach((arg, i) => words.push(quoted(arg, `${where}[${i + 1}]`)));
    if (words.length > ARGS_MAX)
      refuse(
        where,
        'too many arguments',
        words.length,
        `at most ${ARGS_MAX}, program and environment included`,
        'E2BIG',
      );
    const bytes = command.reduce((sum, word) => sum + new TextEncoder().encode(word).length + 1, 0);
    if (bytes > ARGUMENT_BYTES) refuse(where, 'arguments too long', bytes, `at most ${ARGUMENT_BYTES} bytes`, 'E2BIG');
    return words;
  }

  #background({ background }: RunStep, where: string): string[] {
    if (background === undefined || background === false) return [];
    if (background === true) return ['&'];
    if (!NAME.test(background) || background.length > JOB_NAME_MAX)
      refuse(`${where}.background`, 'no name of a job', background, `letters, digits and _, at most ${JOB_NAME_MAX}`);
    this.#jobs.add(background);
    if (this.#jobs.size > JOBS_MAX)
      refuse(`${where}.background`, 'too many jobs', background, `at most ${JOBS_MAX} names`);
    return ['&', background];
  }

  #job(name: string, where: string): string {
    if (!this.#jobs.has(name))
      refuse(where, 'no job of that name was started before', name, 'name it with `background`', 'ENOENT');
    return name;
  }
}

function isSingle(run: RunStep['run']): run is SimCommand {
  return typeof run[0] === 'string';
}

function time(us: number, where: string): number {
  if (!(Number.isInteger(us) && us >= 0 && us <= TIME_MAX))
    refuse(where, 'no time', us, `whole microseconds, 0 to ${TIME_MAX}`);
  return us;
}

function assignments(variables: Readonly<Record<string, string>>, where: string): string[] {
  return Object.entries(variables).map(([name, value]) => {
    if (!NAME.test(name)) refuse(where, 'no name of a variable', name, 'letters, digits and _');
    return quoted(`${name}=${value}`, `${where}.${name}`);
  });
}

function redirect(operator: string, path: string | undefined, where: string): string[] {
  if (path === undefined) return [];
  if (!path.startsWith('/')) refuse(where, 'no path', path, 'paths begin with /: there are no working directories');
  return [operator, quoted(path, where)];
}

/** A word as the shell takes it for what it is. Single quotes keep double ones; those expand counters. */
function quoted(word: unknown, where: string, isCommand = false): string {
  if (typeof word !== 'string') refuse(where, 'no word', String(word), 'words are strings');
  if (CONTROL.test(word)) refuse(where, 'a word of more than one line', JSON.stringify(word), 'put it into a file');
  if (!isCommand && PLAIN.test(word)) return word;
  return word
    .split(/("+)/)
    .map((part) => (part.startsWith('"') ? `'${part}'` : `"${part}"`))
    .join('');
}
