import type { Step } from '../step.js';
import type { Emitter } from './emitter.js';

/** Writes the code of one instruction. Jumps leave their condition on the stack. */
export type Rule = (e: Emitter, step: Step) => void;

/** Rules by operation number. */
export type Rules = ReadonlyMap<number, Rule>;
