import { RunEnded } from '../interp/stop.js';
import type { ProgramAttachment } from './program-attachment.js';

/** Puts the first `use` bytes of a hit's context into BpfMemory, or more; its offset. */
export type Prepare<E> = (event: E, cpu: number, use: number) => number;

/** Takes a hit, as listeners of hooks do: `data` is what was registered with it. */
export type Hit<E> = (data: unknown, event: E, cpu: number) => void;

/** Set once a function is no longer that of its attach point. */
export interface HitGeneration {
  isOver: boolean;
}

/** More programs than this are run by a loop: their code would be too long to be optimised as one function. */
const MAX_GENERATED = 64;

/**
 * Runs the programs one after the other. Each has a call of its own in generated source: V8 compiles a call whose
 * target it has seen to be always the same into little more than the jump, while one that all programs share costs
 * several times a short program. Source must differ too, or V8 gives two functions what it learnt from either.
 * Where the host forbids generated code, a loop does it.
 */
export function hitCode<E>(
  prepare: Prepare<E>,
  attachments: readonly ProgramAttachment[],
  generation: HitGeneration,
): Hit<E> {
  const loop = hitLoop(prepare, attachments);
  if (attachments.length > MAX_GENERATED) return loop;
  try {
    return generatedHit(prepare, attachments, generation, loop);
  } catch (error) {
    if (error instanceof EvalError) return loop;
    throw error;
  }
}

export function hitLoop<E>(prepare: Prepare<E>, attachments: readonly ProgramAttachment[]): Hit<E> {
  const use = contextUse(attachments);
  return (_data, event, cpu) => {
    const ctx = prepare(event, cpu, use);
    for (const attachment of attachments) if (attachment.live) attachment.hit(ctx, cpu);
  };
}

/** What none of the programs looks at need not be there. */
function contextUse(attachments: readonly ProgramAttachment[]): number {
  return Math.max(0, ...attachments.map(({ compiled }) => compiled?.contextUse ?? Infinity));
}

let generated = 0;

/** Throws EvalError where generating code is forbidden. */
function generatedHit<E>(
  prepare: Prepare<E>,
  attachments: readonly ProgramAttachment[],
  generation: HitGeneration,
  loop: Hit<E>,
): Hit<E> {
  const names = attachments.map((_, i) => `a${i}, p${i}, entry${i}`);
  const isQuiet = attachments.every(({ compiled }) => compiled?.isClosed === true);
  const source = `
    const [${names.join(', ')}] = parts;
    return (data, event, cpu) => {
      ${isQuiet ? 'if (generation.isOver) return loop(data, event, cpu);' : ''}
      const ctx = prepare(event, cpu, ${contextUse(attachments)});
      ${attachments.map(isQuiet ? closedCode : callCode).join('')}
    }; // ${generated++}`;
  const parts = attachments.flatMap((attachment) => {
    const { compiled } = attachment;
    return [attachment, compiled, compiled?.entry];
  });
  // oxlint-disable-next-line typescript/no-implied-eval -- what it is made of is all here
  const make = new Function('prepare', 'parts', 'generation', 'loop', 'check', 'goOn', source) as (
    ...values: unknown[]
  ) => Hit<E>;
  const goOn = (i: number, error: unknown, ctx: number, cpu: number): void => {
    attachments[i].caught(error);
    for (const attachment of attachments.slice(i + 1)) if (attachment.live) attachment.hit(ctx, cpu);
  };
  return make(prepare, parts, generation, loop, throwUnlessEnded, goOn);
}

/** Among closed programs only, nothing is detached in the middle of a hit, unless one has to stop and that is heard. */
function closedCode({ block }: ProgramAttachment, i: number): string {
  return `try { entry${i}(ctx, cpu, ${block}); } catch (error) { return goOn(${i}, error, ctx, cpu); }`;
}

function callCode({ compiled, block }: ProgramAttachment, i: number): string {
  if (compiled === null) return `if (a${i}.live) a${i}.hit(ctx, cpu);`;
  if (compiled.isClosed) {
    return `if (a${i}.live) { try { entry${i}(ctx, cpu, ${block}); } catch (error) { a${i}.caught(error); } }`;
  }
  return `if (a${i}.live) {
    const run = a${i}.begin(ctx, cpu);
    if (run !== null) {
      p${i}.begin(run, ctx);
      try { entry${i}(ctx, run.stackPointer, 0); }
      catch (error) { check(error); }
      finally { p${i}.end(run); a${i}.close(run); }
    }
  }`;
}

/** Errors that are no matter of the program's go on up. */
function throwUnlessEnded(error: unknown): void {
  if (!(error instanceof RunEnded)) throw error;
}
