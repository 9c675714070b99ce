import { Errno, type ErrnoName } from './errno.js';

/** Where the fault lies and what would mend it. Every field is optional and shown in the message. */
export interface BpfErrorDetail {
  readonly cause?: unknown;
  /** Byte offset in the input that was being read. */
  readonly offset?: number;
  /** ELF or BTF section, file, or field in which `offset` counts. */
  readonly section?: string;
  /** The offending value or token, printed as given. */
  readonly value?: string | number | bigint;
  /** What the caller can do about it. */
  readonly remedy?: string;
}

/**
 * The error kscope raises for anything outside the caller's own mistakes: bad input, missing
 * symbols, resources that ran out. `code` and `errno` are what Linux would answer (positive number).
 */
export class BpfError extends Error {
  override readonly name: string = 'BpfError';
  readonly code: ErrnoName;
  readonly errno: number;
  /** What was being done: the message without code, place and remedy. */
  readonly what: string;
  readonly detail: BpfErrorDetail;

  constructor(code: ErrnoName, what: string, detail: BpfErrorDetail = {}) {
    super(describe(code, what, detail), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.errno = Errno[code];
    this.what = what;
    this.detail = detail;
  }
}

function describe(code: ErrnoName, what: string, detail: BpfErrorDetail): string {
  const place: string[] = [];
  if (detail.section !== undefined) place.push(`section ${detail.section}`);
  if (detail.offset !== undefined) place.push(`offset ${detail.offset} (0x${detail.offset.toString(16)})`);
  if (detail.value !== undefined) place.push(`value ${String(detail.value)}`);
  const where = place.length > 0 ? ` [${place.join(', ')}]` : '';
  const remedy = detail.remedy === undefined ? '' : `; ${detail.remedy}`;
  return `${what}${where}: ${code}${remedy}`;
}
