import type { Helper } from '../helper/helper.js';

/** What the kernel says of a kernel function that programs may call (include/linux/btf.h). */
export type KfuncFlag =
  /** Gives a reference that the program has to give back. */
  | 'KF_ACQUIRE'
  | 'KF_RELEASE'
  /** May answer NULL. */
  | 'KF_RET_NULL'
  /** Pointers are such as the kernel has handed out, and not NULL. */
  | 'KF_TRUSTED_ARGS'
  | 'KF_SLEEPABLE'
  | 'KF_FASTCALL'
  /** Only between bpf_rcu_read_lock and bpf_rcu_read_unlock, in programs that may sleep. */
  | 'KF_RCU_PROTECTED'
  | 'KF_ITER_NEW'
  | 'KF_ITER_NEXT'
  | 'KF_ITER_DESTROY';

/** The iterator that a row is about, which lives in a struct on the program's stack. */
export interface KfuncIterator {
  /** `num` of `struct bpf_iter_num`. */
  readonly name: string;
  /** Bytes of the struct. */
  readonly size: number;
}

/** A kernel function that programs call by an extern: a row like that of a helper, found by its name instead of a number. */
export interface Kfunc extends Helper {
  /** As the kernel declares it, in C; linkers compare the declaration of a program with it. */
  readonly prototype: string;
  readonly flags: readonly KfuncFlag[];
  readonly iterator?: KfuncIterator;
}

export function isKfunc(helper: Helper): helper is Kfunc {
  return 'prototype' in helper;
}

/** What a row leaves to its prototype and flags. */
export type KfuncRow = Omit<Kfunc, 'id' | 'name' | 'gplOnly' | 'sleepable'>;

/** Completes a row: kernel functions are for programs under the GPL. */
export function kfunc(row: KfuncRow): Kfunc {
  const name = /(\w+)\(/.exec(row.prototype)?.[1];
  if (name === undefined) throw new TypeError(`no function is declared by "${row.prototype}"`);
  return { ...row, id: 0, name, gplOnly: true, sleepable: row.flags.includes('KF_SLEEPABLE') };
}
