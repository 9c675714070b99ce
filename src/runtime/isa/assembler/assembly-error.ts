import { BpfError } from '../../../base/index.js';

/** Where in the text a token stands; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Text that is no BPF assembly. The message names the place, the token and, where one is known, the remedy. */
export class AssemblyError extends BpfError {
  override readonly name = 'AssemblyError';
  readonly line: number;
  readonly column: number;
  /** The token at which the assembler gave up; empty at the end of a statement. */
  readonly token: string;

  constructor(at: Position & { readonly text: string }, what: string, hint?: string) {
    const found = at.text === '' ? 'at the end of the statement' : `at '${at.text}'`;
    super(
      'EINVAL',
      `line ${at.line}, column ${at.column}: ${what} ${found}`,
      hint === undefined ? {} : { remedy: hint },
    );
    this.line = at.line;
    this.column = at.column;
    this.token = at.text;
  }
}
