import type { LineInfo } from '../executable.js';

/** The source line that the instruction at slot `insn` comes from: the last one that starts at or before it. */
export function lineAt(lines: readonly LineInfo[] | undefined, insn: number): LineInfo | undefined {
  if (lines === undefined) return undefined;
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lines[middle].insn <= insn) low = middle + 1;
    else high = middle;
  }
  return lines[low - 1];
}

/** `file:line: text`, as faults and refusals show it. */
export function lineText(line: LineInfo): string {
  return `${line.file}:${line.line}: ${line.text.trim()}`;
}
