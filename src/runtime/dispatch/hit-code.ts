import { RunEnded } from '../interp/stop.js';
import type { ProgramAttachment } from './program-attachment.js';

/** Puts the first `use` bytes of a hit's context into BpfMemory, or more; its offset. */
export type Prepare<E> = (event: E, cpu: number, use: number) => number;

/** Takes a hit, as listeners of hooks do: `data` is what was registered with it. */
export type Hit<E> = (data: unknown, event: E, cpu: number) => void;

let generations = 0;

/**
 * Ends when a function is no longer that of its attach point. The flag is the only property of an object that no other
 * has the like of: V8 takes what was never changed for a constant, so optimised code does not even load it, and throws
 * such code away once it changes.
 */
export class HitGeneration {
  readonly key = `isOver${generations++}`;
  readonly flags: Record<string, boolean> = { [this.key]: false };

  end(): void {
    this.flags[this.key] = true;
  }
}

/** More programs than this are run by a loop: their code would be too long to be optimised as one function. */
const MAX_GENERATED = 64;

/**
 * Runs the programs one after the other. Each has a call of its own in generated source: V8 compiles a call whose
 * target it has seen to be always the same into little more than the jump, while one that all programs share costs
 * several times a short program. Source must differ too, or V8 gives two functions what it learnt from either; and what
 * a function calls must be constants, not parameters of the function around it, for V8 to take them as such.
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
  const goOn = (i: number, error: unknown, ctx: number, cpu: number): void => {
    attachments[i].caught(error);
    for (const attachment of attachments.slice(i + 1)) if (attachment.live) attachment.hit(ctx, cpu);
  };
  const parts: Record<string, unknown> = { prepare, flags: generation.flags, loop, check: throwUnlessEnded, goOn };
  attachments.forEach((attachment, i) => {
    const { compiled } = attachment;
    Object.assign(parts, { [`a${i}`]: attachment, [`p${i}`]: compiled, [`entry${i}`]: compiled?.entry });
  });
  const isQuiet = attachments.every(({ compiled }) => compiled?.isClosed === true);
  const source = `
    const { ${Object.keys(parts).join(', ')} } = parts;
    return (data, event, cpu) => {
      ${isQuiet ? `if (flags.${generation.key}) return loop(data, event, cpu);` : ''}
      const ctx = prepare(event, cpu, ${contextUse(attachments)});
      ${attachments.map(isQuiet ? closedCode : callCode).join('')}
    }; // ${generated++}`;
  // oxlint-disable-next-line typescript/no-implied-eval -- what it is made of is all here
  const make = new Function('parts', source) as (parts: object) => Hit<E>;
  return make(parts);
}

/** Among closed programs only, nothing is detached in the middle of a hit, unless one has to stop and that is heard. */
function closedCode({ compiled, block }: ProgramAttachment, i: number): string {
  const call = `entry${i}(ctx, cpu, ${block});`;
  const caught = `try { ${call} } catch (error) { return goOn(${i}, error, ctx, cpu); }`;
  // V8 does not inline the way into WebAssembly where there is something to catch.
  return `a${i}.hits++; ${compiled?.mayStop === false ? call : caught}`;
}

function callCode({ compiled, block }: ProgramAttachment, i: number): string {
  if (compiled === null) return `if (a${i}.live) a${i}.hit(ctx, cpu);`;
  if (compiled.isClosed) {
    return `if (a${i}.live) {
      a${i}.hits++;
      try { entry${i}(ctx, cpu, ${block}); } catch (error) { a${i}.caught(error); }
    }`;
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
