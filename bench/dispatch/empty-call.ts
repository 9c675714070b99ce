import type { Loop } from '../stopwatch.js';

/** (module (func (export "f") (param i32) (result i32) (i32.const 0))) */
const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ...[0x0a, 0x06, 0x01, 0x04, 0x00, 0x41, 0x00, 0x0b],
);

/** A WebAssembly function that does nothing: V8 has to call it, and cannot know what it left unchanged. */
export function emptyFunction(): (argument: number) => number {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  return instance.exports['f'] as (argument: number) => number;
}

/** What every dispatch is compared with. */
export function emptyCall(): Loop {
  const f = emptyFunction();
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += f(i);
    keep(sum);
  };
}

/** Written by loops whose work could otherwise be left out. */
export const sink = { value: 0 };

export function keep(value: number): void {
  sink.value = value;
}
