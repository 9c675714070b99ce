import { RawJson, toJson } from './json.js';

const INDENT = '    ';

/**
 * JSON laid out as bpftool's writer does: a line per member name and per closing bracket, the elements of an
 * array one after another.
 */
export function toPrettyJson(value: unknown, depth = 0): string {
  const inner = `\n${INDENT.repeat(depth + 1)}`;
  const outer = `\n${INDENT.repeat(depth)}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((element) => toPrettyJson(element, depth + 1)).join(',')}${outer}]`;
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof RawJson)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return '{}';
    const lines = members.map(
      ([name, member]) => `${inner}${JSON.stringify(name)}: ${toPrettyJson(member, depth + 1)}`,
    );
    return `{${lines.join(',')}${outer}}`;
  }
  return toJson(value);
}
