import { Random } from '../host/sim/random.js';

const TYPES = ['signed char', 'unsigned char', 'short', 'unsigned short', 'int', 'unsigned', 'long', 'unsigned long'];
const FLOATS = ['float', 'double'];
const BINARY = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '<', '<=', '==', '!=', '&&', '||'];
const ATOMIC = ['fetch_add', 'fetch_sub', 'fetch_and', 'fetch_or', 'fetch_xor', 'exchange_n'];
const ORDERS = ['__ATOMIC_RELAXED', '__ATOMIC_ACQUIRE', '__ATOMIC_RELEASE', '__ATOMIC_SEQ_CST'];

/**
 * C functions that nobody will ever call: for compilers to make code of every kind from. The same seed gives the same
 * text. Freestanding; atomics are of 4 and 8 bytes, floating point is there only if `floats`.
 */
export function generateC(seed: number, functions: number, floats: boolean): string {
  const random = new Random(seed);
  const text = [PRELUDE];
  for (let n = 0; n < functions; n++) text.push(new FunctionWriter(random, n, floats).write());
  return text.join('\n');
}

const PRELUDE = `
struct node { struct node *next; signed char c; unsigned short h; int w; unsigned long d; int array[40]; };
extern long global; extern unsigned table[64]; extern long callee(long, struct node *); extern double real(double, float);
extern long many(long, long, long, long, long, long, long, long, long, int);
`;

class FunctionWriter {
  readonly #random: Random;
  readonly #index: number;
  readonly #floats: boolean;
  #variables = 0;

  constructor(random: Random, index: number, floats: boolean) {
    this.#random = random;
    this.#index = index;
    this.#floats = floats;
  }

  write(): string {
    const lines = Array.from({ length: 3 + this.#below(5) }, () => this.#declaration());
    for (let i = 0; i < 4 + this.#below(8); i++) lines.push(this.#statement(2));
    const sum = Array.from({ length: this.#variables }, (_, n) => `(long)v${n}`).join(' ^ ');
    const name = `f${this.#index}`;
    return `long ${name}(struct node *p, long a, unsigned b, long *q, unsigned char *s) {\n${lines.join('\n')}\nreturn ${sum};\n}\n`;
  }

  #declaration(): string {
    const types = this.#floats ? [...TYPES, ...FLOATS] : TYPES;
    const text = `${this.#pick(types)} v${this.#variables} = ${this.#expression(2)};`;
    this.#variables++;
    return text;
  }

  #statement(depth: number): string {
    const kinds = depth === 0 ? 5 : 9;
    switch (this.#below(kinds)) {
      case 0:
      case 1:
        return `${this.#place()} = ${this.#expression(3)};`;
      case 2:
        return `${this.#place()} += ${this.#expression(2)};`;
      case 3:
        return `a = callee(${this.#expression(1)}, p);`;
      case 4:
        return this.#rarer();
      case 5:
        return `if (${this.#expression(2)}) { ${this.#statement(depth - 1)} } else { ${this.#statement(depth - 1)} }`;
      case 6:
        return `for (int i = 0; i < (int)(${this.#expression(1)}); i++) { ${this.#statement(depth - 1)} }`;
      case 7:
        return `while (p && p->next) { p = p->next; ${this.#statement(depth - 1)} }`;
      default:
        return this.#switch(depth - 1);
    }
  }

  #rarer(): string {
    switch (this.#below(this.#floats ? 5 : 4)) {
      case 0:
        return `a ^= __atomic_${this.#pick(ATOMIC)}(&global, ${this.#expression(1)}, ${this.#pick(ORDERS)});`;
      case 1:
        return `b |= __atomic_compare_exchange_n(&table[3], &b, ${this.#expression(1)}, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);`;
      case 2:
        return `__atomic_thread_fence(${this.#pick(ORDERS)});`;
      case 3:
        return `a = many(a, b, ${Array.from({ length: 8 }, () => this.#expression(1)).join(', ')});`;
      default:
        return `v0 += real(${this.#expression(1)}, ${this.#expression(1)});`;
    }
  }

  #switch(depth: number): string {
    const cases = Array.from({ length: 6 }, (_, n) => `case ${n * 2}: ${this.#statement(depth)} break;`);
    return `switch ((int)(${this.#expression(1)})) { ${cases.join(' ')} }`;
  }

  #expression(depth: number): string {
    if (depth === 0) return this.#leaf();
    const left = this.#expression(depth - 1);
    const right = this.#expression(depth - 1);
    const operator = this.#pick(BINARY);
    if (/^[%&|^]$|^<<|^>>/.test(operator)) return `((long)${left} ${operator} ((long)${right} | 1))`;
    if (operator === '/') return `((unsigned)${left} / ((unsigned)${right} | 1))`;
    return `(${left} ${operator} ${right})`;
  }

  #leaf(): string {
    const literal = this.#random.word() >>> this.#below(32);
    const variable = this.#variables > 0 ? `v${this.#below(this.#variables)}` : 'a';
    const leaves = [variable, variable, 'a', 'b', `${literal}u`, `-${literal >>> 12}`, 'p->w', 'p->d', 'p->c', 'p->h'];
    const memory = ['q[b & 7]', 's[a & 63]', 'table[b & 63]', 'global', 'p->array[a & 31]', '*(short *)(s + 6)'];
    return `(${this.#pick([...leaves, ...memory])})`;
  }

  #place(): string {
    const variable = `v${this.#below(this.#variables)}`;
    return this.#pick([
      variable,
      'p->w',
      'p->d',
      'p->c',
      'p->h',
      'q[3]',
      's[9]',
      'table[5]',
      'p->array[b & 31]',
      'global',
    ]);
  }

  #below(limit: number): number {
    return this.#random.below(limit);
  }

  #pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }
}
