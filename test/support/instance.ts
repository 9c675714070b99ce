/** `value`, known to be a `type`; a test that mistakes itself fails here. */
export function instance<T>(value: unknown, type: abstract new (...args: never[]) => T): T {
  if (value instanceof type) return value;
  throw new TypeError(`expected a ${type.name}`);
}
