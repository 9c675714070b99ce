import { type EventDefinition, placeText } from './event-definition.js';
import type { FetchArg } from './fetch-arg.js';

/** Index of the first argument in which two lists differ by name or type, or null; a missing one is the last that both have. */
export function differingArg(a: readonly FetchArg[], b: readonly FetchArg[]): number | null {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  const index = a.findIndex((arg, i) => {
    const other = b[i];
    return arg.name !== other.name || arg.count !== other.count || arg.type.name !== other.type.name;
  });
  return index < 0 ? null : index;
}

/** Whether two definitions of one event do the same: their places and what they fetch are written alike. */
export function sameProbe(a: EventDefinition, b: EventDefinition): boolean {
  return placeText(a.place) === placeText(b.place) && a.args.every(({ text }, i) => text === b.args[i]?.text);
}

/** Whether a removal's `PLACE ARGS`, as far as it gives them, are the definition's. */
export function matchesCommand({ place, args }: EventDefinition, [where, ...wanted]: readonly string[]): boolean {
  if (where === undefined) return true;
  if (where !== placeText(place) || wanted.length > args.length) return false;
  return wanted.every((word, i) => word === `${args[i].name}=${args[i].text}`);
}
