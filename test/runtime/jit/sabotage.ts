import { ruleOf } from '../../../src/runtime/jit/lower/rules.js';
import { FunctionWriter } from '../../../src/runtime/jit/wasm/function-writer.js';

/** A way in which what the compiler writes is changed, while it is in a certain place. */
export interface Change {
  /** One instruction instead of another. */
  readonly swap?: readonly [from: number, to: number];
  /** One constant instead of another: the low word of 64-bit ones. */
  readonly constant?: readonly [from: number, to: number];
  /** A condition is turned around before it is looked at. */
  readonly negate?: 'if' | 'brIf';
  /** Loops are left where they would go round. */
  readonly once?: true;
  /** Loads and stores of this kind happen elsewhere. */
  readonly displace?: readonly [code: number, by: number];
}

/** Where: in the rule of an operation, in a method, or in whatever belongs to no rule. */
export type Place =
  | { readonly rule: number }
  | { readonly method: readonly [object: object, name: string] }
  | { readonly outsideRules: true };

export interface Sabotage {
  readonly name: string;
  readonly place: Place;
  readonly change: Change;
}

type Functions = Record<string | number, (...args: never[]) => unknown>;

/** Runs `body` with a compiler that is broken in one way. */
export function withSabotage<T>({ place, change }: Sabotage, body: () => T): T {
  const undo: (() => void)[] = [];
  const depth = { inside: 0 };
  try {
    watch(place, depth, undo);
    const applies = 'outsideRules' in place ? () => depth.inside === 0 : () => depth.inside > 0;
    changeWriter(change, applies, undo);
    return body();
  } finally {
    for (const step of undo.toReversed()) step();
  }
}

function watch(place: Place, depth: { inside: number }, undo: (() => void)[]): void {
  if ('rule' in place) count(ruleOf, place.rule, depth, undo);
  else if ('method' in place) count(place.method[0], place.method[1], depth, undo);
  else ruleOf.forEach((rule, op) => rule !== undefined && count(ruleOf, op, depth, undo));
}

/** Notes when a function is being executed. */
function count(holder: object, name: string | number, depth: { inside: number }, undo: (() => void)[]): void {
  replace(
    holder,
    name,
    (original) =>
      function (this: unknown, ...args) {
        depth.inside++;
        try {
          return original.apply(this, args);
        } finally {
          depth.inside--;
        }
      },
    undo,
  );
}

function changeWriter(change: Change, applies: () => boolean, undo: (() => void)[]): void {
  const { swap, constant, negate, once, displace } = change;
  const writer = FunctionWriter.prototype;
  const swapped = (code: number): number => (swap !== undefined && code === swap[0] && applies() ? swap[1] : code);
  const changed = (value: number): number =>
    constant !== undefined && value === constant[0] && applies() ? constant[1] : value;
  const on = (name: keyof FunctionWriter, make: (original: Functions[string]) => Functions[string]): void =>
    replace(writer, name, make, undo);
  const { op, loop, block } = writer;

  on(
    'op',
    (original) =>
      function (this: FunctionWriter, ...codes: number[]) {
        return original.apply(this, codes.map(swapped) as never[]);
      },
  );
  for (const name of ['memory', 'atomic'] as const) {
    on(
      name,
      (original) =>
        function (this: FunctionWriter, code: number, ...rest: number[]) {
          const moves = displace !== undefined && code === displace[0] && applies();
          if (moves) rest[rest.length - 1] += displace[1];
          return original.apply(this, [swapped(code), ...rest] as never[]);
        },
    );
  }
  on(
    'i32',
    (original) =>
      function (this: FunctionWriter, value: number) {
        return original.apply(this, [changed(value)] as never[]);
      },
  );
  on(
    'i64',
    (original) =>
      function (this: FunctionWriter, lo: number, hi?: number) {
        return original.apply(this, [changed(lo), hi] as never[]);
      },
  );
  for (const name of ['if', 'brIf'] as const) {
    if (negate !== name) continue;
    on(
      name,
      (original) =>
        function (this: FunctionWriter, ...args: never[]) {
          if (applies()) op.call(this, EQZ);
          return original.apply(this, args);
        },
    );
  }
  if (once === true)
    on(
      'loop',
      () =>
        function (this: FunctionWriter) {
          return applies() ? block.call(this) : loop.call(this);
        },
    );
}

const EQZ = 0x45;

function replace(
  holder: object,
  name: string | number,
  make: (original: Functions[string]) => (this: never, ...args: never[]) => unknown,
  undo: (() => void)[],
): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- functions by name, to be put back as they were
  const functions = holder as Functions;
  const original = functions[name];
  functions[name] = make(original);
  undo.push(() => (functions[name] = original));
}
