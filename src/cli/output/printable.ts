const CONTROL = /\p{Cc}/gu;

/** Text that came out of a program, safe for a terminal: control characters as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
