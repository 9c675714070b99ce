const utf8 = new TextDecoder('utf-8');

/** UTF-8 as a string. The bytes may be in shared memory, of which browsers decode none. */
export function utf8Text(bytes: Uint8Array): string {
  return utf8.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
}
