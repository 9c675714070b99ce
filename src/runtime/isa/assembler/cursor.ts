import { AssemblyError } from './assembly-error.js';
import type { Token } from './tokenizer.js';

/** Reads tokens one after the other and says what it expected where something else stands. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The token `ahead` places on; an end of statement hides what follows it. */
  peek(ahead = 0): Token {
    for (let i = 0; i < ahead; i++) {
      if (this.#tokens[this.#at + i].kind === 'end') return this.#tokens[this.#at + i];
    }
    return this.#tokens[this.#at + ahead];
  }

  next(): Token {
    return this.#tokens[this.#at++];
  }

  /** Whether the next token is the symbol or (in any case) the word. */
  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === 'symbol' || token.kind === 'name') && token.text.toLowerCase() === text;
  }

  /** Takes the symbol or word if it comes next. */
  take(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  /** Takes all the symbols or words, or none. */
  takeAll(...texts: readonly string[]): boolean {
    if (!texts.every((text, i) => this.is(text, i))) return false;
    this.#at += texts.length;
    return true;
  }

  expect(text: string, hint?: string): Token {
    if (!this.is(text)) throw this.error(`expected '${text}'`, hint);
    return this.next();
  }

  expectName(what: string): Token {
    if (this.peek().kind !== 'name') throw this.error(`expected ${what}`);
    return this.next();
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end')
      throw this.error('unexpected token', 'statements end with a newline or a semicolon');
    this.#at++;
  }

  /** A place to come back to with `restore`. */
  save(): number {
    return this.#at;
  }

  restore(place: number): void {
    this.#at = place;
  }

  /** An error at the next token, or at `token`. */
  error(what: string, hint?: string, token: Token = this.peek()): AssemblyError {
    return new AssemblyError(token, what, hint);
  }
}
