import { BpfError } from '../../base/index.js';

/** A machine at rest, as it is stored: v86's own state with what kscope knows about the guest beside it. */
export interface SavedState {
  /** Bytes of the machine's memory. */
  readonly memoryBytes: number;
  /** The guest's symbols in the format of /proc/kallsyms. */
  readonly kallsyms: string;
  /** What `save_state` of v86 gave, raw or compressed by zstd. */
  readonly state: Uint8Array;
}

const MAGIC = 'kscope-v86-1\n';
const NUMBERS = 12;
/** More than any machine: a guard against sizes that are none. */
const SIZE_MAX = 2 ** 31;

/**
 * The file of a saved state: a line that says what it is; three little-endian 32-bit numbers: bytes of memory, of symbols
 * and of state; the symbols; the state.
 */
export function encodeSavedState({ memoryBytes, kallsyms, state }: SavedState): Uint8Array {
  const symbols = new TextEncoder().encode(kallsyms);
  const start = MAGIC.length + NUMBERS;
  const bytes = new Uint8Array(start + symbols.length + state.length);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  for (const [i, size] of [memoryBytes, symbols.length, state.length].entries()) {
    view.setUint32(MAGIC.length + 4 * i, size, true);
  }
  bytes.set(symbols, start);
  bytes.set(state, start + symbols.length);
  return bytes;
}

/** Reads what `encodeSavedState` wrote; EINVAL with the offset for anything else. `state` is a view of `bytes`. */
export function decodeSavedState(bytes: Uint8Array): SavedState {
  const magic = new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw broken(0, JSON.stringify(magic), `it begins with ${JSON.stringify(MAGIC)}`);
  const start = MAGIC.length + NUMBERS;
  if (bytes.length < start) throw broken(bytes.length, `${bytes.length} bytes`, 'it is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = (index: number): number => view.getUint32(MAGIC.length + 4 * index, true);
  const [memoryBytes, symbolBytes, stateBytes] = [size(0), size(1), size(2)];
  if (memoryBytes > SIZE_MAX) throw broken(MAGIC.length, memoryBytes, 'no machine has so much memory');
  if (start + symbolBytes + stateBytes !== bytes.length) {
    throw broken(
      MAGIC.length + 4,
      `${symbolBytes} + ${stateBytes}`,
      `${bytes.length - start} bytes follow: it is cut off`,
    );
  }
  return {
    memoryBytes,
    kallsyms: new TextDecoder().decode(bytes.subarray(start, start + symbolBytes)),
    state: bytes.subarray(start + symbolBytes),
  };
}

function broken(offset: number, value: string | number, remedy: string): BpfError {
  return new BpfError('EINVAL', 'reading a saved state of v86', { offset, value, remedy });
}
