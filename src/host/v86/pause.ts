/** Something that nobody will wake; null where threads share no memory. */
let never: Int32Array | null | undefined;

/** Lets `ms` milliseconds pass: asleep where the thread may sleep, awake where it must not (the main thread of a page). */
export function pause(ms: number): void {
  if (!sleep(ms)) stayAwake(performance.now() + ms);
}

function sleep(ms: number): boolean {
  try {
    never ??= typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : null;
    if (never === null) return false;
    Atomics.wait(never, 0, 0, ms);
    return true;
  } catch {
    never = null;
    return false;
  }
}

function stayAwake(end: number): void {
  let now = performance.now();
  while (now < end) now = performance.now();
}
