import fc from 'fast-check';
import { Random } from '../../../test/runtime/interp/generator/random.js';

/** Bytes of the one value of map 0, and of the packet. */
export const VALUE_SIZE = 96;
export const PACKET_SIZE = 40;

/** Statements that a program is made of, each from a number of its own: shrinking drops some and keeps the others. */
export const pointerPrograms: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(0xffff_ffff), {
  minLength: 1,
  maxLength: 40,
  size: 'max',
});

const SIZES = ['u8', 'u16', 'u32', 'u64'] as const;
const RELATIONS = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>='] as const;
const OPERATORS = ['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=', 's>>='] as const;
const FREE = [0, 1, 2, 3, 4, 5];

/**
 * A program that computes with pointers to frame, map value and packet: some accesses are guarded by comparisons or
 * masks, some are not and may stop the run. r6 is the context, r7 and r8 start and end of the packet, r9 the map's value.
 */
export function pointerProgram(seeds: readonly number[]): string {
  return new PointerProgram().write(seeds);
}

class PointerProgram {
  readonly #lines: string[] = [];
  #labels = 0;
  #random = new Random(0);
  /** Registers that statements may write: not the counters of loops around them. */
  #free = FREE;

  write(seeds: readonly number[]): string {
    this.#add('r6 = r1', 'r7 = *(u32 *)(r1 + 0)', 'r8 = *(u32 *)(r1 + 4)', 'r9 = map[0].value + 0 ll');
    for (const r of FREE) this.#add(`r${r} = *(${SIZES[r % SIZES.length]} *)(r9 + ${8 * r})`);
    for (let off = 8; off <= 64; off += 8) this.#add(`*(u64 *)(r10 - ${off}) = r${(off / 8) % 6}`);
    for (const seed of seeds) {
      this.#random = new Random(seed);
      this.#statement(3);
    }
    for (const r of FREE) this.#add(`*(u64 *)(r9 + ${48 + 8 * r}) = r${r}`);
    this.#add('exit');
    return this.#lines.join('\n');
  }

  #statement(depth: number): void {
    const random = this.#random;
    const kinds = [
      () => this.#scalar(),
      () => this.#arithmetic(),
      () => this.#arithmetic(),
      () => this.#mask(),
      () => this.#access(),
      () => this.#access(),
      () => this.#access(),
      () => this.#packet(),
      () => this.#spill(),
      () => this.#lookUp(),
      () => this.#branch(depth),
      () => this.#branch(depth),
      () => this.#loop(depth),
    ];
    random.pick(kinds)();
  }

  #block(depth: number): void {
    const statements = 1 + this.#random.below(3);
    for (let i = 0; i < statements; i++) {
      if (depth > 0) this.#statement(depth - 1);
      else this.#arithmetic();
    }
  }

  #scalar(): void {
    const to = this.#random.pick(this.#free);
    const size = this.#random.pick(SIZES);
    const base = this.#random.pick(['r9', 'r10', 'r7']);
    const off = base === 'r10' ? -8 * (1 + this.#random.below(8)) : this.#random.below(8);
    this.#add(`r${to} = *(${size} *)(${base} ${signed(off)})`);
  }

  #arithmetic(): void {
    const random = this.#random;
    const [to, from] = [random.pick(this.#free), random.pick(FREE)];
    const narrow = random.chance(50) ? 'w' : 'r';
    const operator = random.chance(15) ? '=' : random.pick(OPERATORS);
    const isShift = operator.includes('<<') || operator.includes('>>');
    const isDivision = operator === '/=' || operator === '%=';
    const number = isShift ? random.below(32) : isDivision ? 1 + random.below(50) : this.#number();
    const source = random.chance(50) && !isShift ? `${narrow}${from}` : String(number);
    this.#add(`${narrow}${to} ${operator} ${source}`);
  }

  #mask(): void {
    const random = this.#random;
    this.#add(`${random.pick(['r', 'w'])}${random.pick(this.#free)} &= ${random.pick([1, 7, 8, 15, 24, 31, 63])}`);
  }

  /** A pointer moved by a register or a number, and what it points to read or written. */
  #access(): void {
    const random = this.#random;
    const pointer = random.pick(this.#free);
    const base = random.pick(['r10', 'r10', 'r9', 'r7', 'r6']);
    this.#add(`r${pointer} = ${base}`);
    if (base === 'r10') this.#add(`r${pointer} += -${8 * (1 + random.below(9))}`);
    this.#move(pointer);
    this.#touch(pointer);
  }

  #move(pointer: number): void {
    const random = this.#random;
    const others = this.#free.filter((r) => r !== pointer);
    const by = random.pick(others);
    if (random.chance(70)) {
      if (random.chance(70)) this.#add(`r${by} &= ${random.pick([3, 7, 15, 24, 31])}`);
      this.#add(`r${pointer} ${random.chance(85) ? '+=' : '-='} r${by}`);
    }
    if (random.chance(40)) this.#add(`r${pointer} += ${random.below(24) - 8}`);
  }

  #touch(pointer: number): void {
    const random = this.#random;
    const size = random.pick(SIZES);
    const place = `*(${size} *)(r${pointer} ${signed(random.chance(60) ? 0 : random.below(12) - 2)})`;
    if (random.chance(50)) this.#add(`r${random.pick(this.#free)} = ${place}`);
    else this.#add(`${place} = ${random.chance(50) ? `r${random.pick(FREE)}` : this.#number() & 0x7fff}`);
  }

  /** A part of the packet behind a comparison with its end, in all the ways in which it can be written. */
  #packet(): void {
    const random = this.#random;
    const [header, end] = distinct(random, this.#free);
    const beyond = this.#label();
    this.#add(`r${header} = r7`);
    this.#move(header);
    const size = 1 + random.below(12);
    this.#add(`r${end} = r${header}`, `r${end} += ${size}`);
    const test = random.pick([`r${end} > r8`, `r${end} >= r8`, `r8 < r${end}`, `r8 <= r${end}`]);
    this.#add(`if ${test} goto ${beyond}`);
    const bytes = random.pick([1, 2, 4]);
    const off = random.below(size + 2) - random.below(2);
    this.#add(`r${random.pick(this.#free)} = *(u${8 * bytes} *)(r${header} ${signed(off)})`);
    if (random.chance(30)) this.#touch(end);
    this.#add(`${beyond}:`);
  }

  #spill(): void {
    const random = this.#random;
    const off = 8 * (1 + random.below(6));
    const size = random.pick(['u64', 'u64', 'u64', 'u32', 'u16']);
    if (random.chance(50)) this.#add(`*(${size} *)(r10 - ${off}) = r${random.pick(FREE)}`);
    else this.#add(`r${random.pick(this.#free)} = *(${size} *)(r10 - ${off})`);
  }

  #lookUp(): void {
    const random = this.#random;
    if (this.#free.length < FREE.length) return;
    const none = this.#label();
    this.#add(`*(u32 *)(r10 - 4) = ${random.below(2)}`, 'r1 = map[0] ll', 'r2 = r10', 'r2 += -4');
    this.#add('call map_lookup_elem', `if r0 == 0 goto ${none}`);
    if (random.chance(50)) this.#move(0);
    this.#touch(0);
    this.#add(`${none}:`);
  }

  #branch(depth: number): void {
    const random = this.#random;
    const skipped = this.#label();
    const narrow = random.chance(50) ? 'w' : 'r';
    const right = random.chance(70) ? String(this.#number()) : `${narrow}${random.pick(FREE)}`;
    this.#add(`if ${narrow}${random.pick(FREE)} ${random.pick(RELATIONS)} ${right} goto ${skipped}`);
    this.#block(depth);
    this.#add(`${skipped}:`);
  }

  #loop(depth: number): void {
    const random = this.#random;
    if (this.#free.length <= 3) return;
    const counter = random.pick(this.#free);
    const name = `${random.chance(50) ? 'w' : 'r'}${counter}`;
    const step = 1 + random.below(4);
    const rounds = 1 + random.below(6);
    const from = random.below(20);
    const head = this.#label();
    const outer = this.#free;
    this.#free = outer.filter((r) => r !== counter);
    const up = random.chance(70);
    const to = from + rounds * step;
    this.#add(`${name} = ${up ? from : to}`, `${head}:`);
    if (random.chance(50)) this.#add(`r${random.pick(this.#free)} = r10`, `r${random.pick(this.#free)} += r${counter}`);
    this.#block(depth);
    if (random.chance(30)) {
      const pointer = random.pick(this.#free);
      this.#add(`r${pointer} = r9`, `r${pointer} += r${counter}`);
      this.#touch(pointer);
    }
    this.#add(`${name} += ${up ? step : -step}`);
    const relation = random.pick(up ? ['<', '<=', '!=', 's<'] : ['>', '>=', '!=', 's>']);
    this.#add(`if ${name} ${relation} ${up ? to : from} goto ${head}`);
    this.#free = outer;
  }

  #number(): number {
    const random = this.#random;
    return random.chance(70) ? random.below(64) - 8 : random.edgy() | 0;
  }

  #label(): string {
    return `L${this.#labels++}`;
  }

  #add(...lines: string[]): void {
    this.#lines.push(...lines);
  }
}

function distinct(random: Random, from: readonly number[]): readonly [number, number] {
  const first = random.pick(from);
  return [first, random.pick(from.filter((r) => r !== first))];
}

function signed(off: number): string {
  return off < 0 ? `- ${-off}` : `+ ${off}`;
}
