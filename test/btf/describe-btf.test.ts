import { spawnSync } from 'node:child_process';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  BtfCatalog,
  BtfBuilder,
  type BtfPointer,
  btfType,
  type BtfValueOf,
  describeBtf,
  encodeBtf,
  encodeValue,
  parseBtf,
  printBtfAsC,
  TypedBtf,
} from '../../src/btf/index.js';
import { clangVersion } from '../oracle/clang.js';
import { describeWith } from '../oracle/describe-with.js';

const { array, bits, bool, char, enumeration, f64, func, ptr, s32, struct, text, typedef, u16, u32, u64, u8, union } =
  btfType;

const mode = enumeration('mode', { OFF: 0, ON: 5 });
const big = enumeration('big', { SMALL: 1n, LARGE: 1n << 40n });
const point = struct('point', { x: s32, y: s32 });
const event = struct('event', {
  pid: u32,
  low: bits(u32, 3),
  mid: bits(u16, 14),
  high: bits(u64, 40),
  comm: text(16),
  at: u64,
  mode,
  big,
  good: bool,
  corners: array(point, 2),
  number: union('number', { whole: u64, half: u32, bytes: array(u8, 8) }),
  ratio: f64,
  next: ptr('struct event'),
  owner: ptr('struct task_struct'),
  where: ptr(point),
  size: typedef('size_t', u64),
});
const tight = struct('tight', { a: u8, b: u32, c: u64 }, { packed: true });
const open = func('vfs_open', s32, { path: ptr('struct path'), flags: u32 });

type Types = { readonly 'struct event': BtfValueOf<typeof event>; readonly 'struct tight': BtfValueOf<typeof tight> };

describe('BTF of described types', () => {
  const btf = describeBtf([event, tight, open]);

  it('has them as C has them', () => {
    const printed = printBtfAsC(btf);
    expect(printed).toContain(
      'struct tight {\n\tunsigned char a;\n\tunsigned int b;\n\tunsigned long long c;\n} __attribute__((packed));',
    );
    expect(printed).toContain(
      '\tstruct event *next;\n\tstruct task_struct *owner;\n\tstruct point *where;\n\tsize_t size;',
    );
    expect(printed).toContain('typedef unsigned long long size_t;');
    expect(btf.prototypeOf('vfs_open')?.params.map(({ name }) => name)).toEqual(['path', 'flags']);
    expect(parseBtf(encodeBtf(btf)).typeCount).toBe(btf.typeCount);
  });

  it('has each type once, pointers by name leading to the struct', () => {
    expect(btf.idsByName('event').map((id) => btf.kindOf(id))).toEqual(['struct']);
    expect(btf.idsByName('task_struct').map((id) => btf.kindOf(id))).toEqual(['fwd']);
    expect(btf.idsByName('unsigned int')).toHaveLength(1);
  });

  it('has values of the inferred types', () => {
    const types = new TypedBtf<Types>(btf);
    const bytes = new Uint8Array(types.layout('struct event').size);
    const id = types.idOf('struct event');
    encodeValue(
      btf,
      id,
      { pid: 7, low: 5, mid: 9000, high: 1n << 39n, comm: 'kscope', mode: 'ON', big: 'LARGE', good: true },
      bytes,
    );
    const value = types.view('struct event', bytes);
    expect([value.pid, value.low, value.mid, value.high, value.comm, value.mode, value.big, value.good]).toEqual([
      7,
      5,
      9000,
      1n << 39n,
      'kscope',
      'ON',
      'LARGE',
      true,
    ]);
    expectTypeOf(value.at).toEqualTypeOf<bigint>();
    expectTypeOf(value.low).toEqualTypeOf<number>();
    expectTypeOf(value.comm).toEqualTypeOf<string>();
    expectTypeOf(value.mode).toEqualTypeOf<'OFF' | 'ON' | number>();
    expectTypeOf(value.big).toEqualTypeOf<'SMALL' | 'LARGE' | bigint>();
    expectTypeOf(value.where).toEqualTypeOf<BtfPointer<BtfValueOf<typeof point>>>();
    expectTypeOf(value.corners.length).toEqualTypeOf<2>();
    expectTypeOf(value.corners[0]).toExtend<{ readonly x: number } | undefined>();
  });

  it('has pointers of the width of the target, in its byte order', () => {
    const small = describeBtf([event], { pointerSize: 4, littleEndian: false });
    expect([small.pointerSize, small.littleEndian]).toEqual([4, false]);
    const id = small.findByName('event', 'struct')?.id ?? 0;
    expect((small.member(id, 'owner')?.bitOffset ?? 0) - (small.member(id, 'next')?.bitOffset ?? 0)).toBe(32);
  });

  it('goes on from a base, whose types it uses', () => {
    const base = describeBtf([point]);
    const split = describeBtf([struct('line', { from: point, to: point })], { base });
    expect([...split].slice(base.typeCount - 1).map(({ kind, name }) => [kind, name])).toEqual([['struct', 'line']]);
  });

  it.each<readonly [what: string, make: () => unknown, message: RegExp]>([
    [
      'bits beyond the type',
      () => describeBtf([struct('s', { a: bits(u8, 9) })]),
      /bit-field a of 9 bits does not fit its type of 8/,
    ],
    ['a function as member', () => describeBtf([struct('s', { open })]), /function vfs_open cannot be a member/],
    ['a pointer to no tag', () => describeBtf([ptr('event')]), /leads to "struct NAME" or "union NAME", not "event"/],
    [
      'an enumerator out of range',
      () => describeBtf([enumeration('e', { A: 2 ** 33 })]),
      /A = 8589934592 does not fit 32 bits/,
    ],
  ])('refuses %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('types by name across a kernel and its modules', () => {
  const kernel = describeBtf([point]);
  const moduleOf = (name: string) =>
    describeBtf([struct(name, { at: point }), struct('shared', { text: array(char, name.length) })], { base: kernel });
  const catalog = new BtfCatalog(kernel, [
    ['one', moduleOf('first')],
    ['two', moduleOf('second')],
  ]);
  const places = (name: string): readonly (string | null)[] => catalog.find(name, 'struct').map(({ module }) => module);

  it('are found in each that has them, the kernel first', () => {
    expect(places('point')).toEqual([null]);
    expect(places('second')).toEqual(['two']);
    expect(places('shared')).toEqual(['one', 'two']);
    expect(catalog.find('shared').map(({ btf, type }) => btf.sizeOf(type.id))).toEqual([5, 6]);
    expect(catalog.find('shared', 'union')).toEqual([]);
  });

  it('are gone with their module', () => {
    const few = new BtfCatalog(kernel, [['one', moduleOf('first')]]);
    expect([few.remove('one'), few.find('first'), few.modules]).toEqual([true, [], []]);
  });

  it('must be split from that kernel', () => {
    expect(() => catalog.add('other', new BtfBuilder().build())).toThrow(/not split from this kernel/);
  });
});

const clang = clangVersion();
describeWith(
  'described layouts are C layouts',
  clang === undefined ? { unavailable: 'clang-19 is not there' } : { clang },
  () => {
    it.each([
      ['x86_64-linux-gnu', 8],
      ['i686-linux-gnu', 4],
    ] as const)('on %s', (target, pointerSize) => {
      const btf = describeBtf([event, tight], { pointerSize });
      const checks = ['event', 'tight', 'point'].flatMap((name) => {
        const type = btf.findByName(name, 'struct');
        if (type === undefined) return [];
        const offsets = type.members.flatMap((member) =>
          member.bitSize > 0
            ? []
            : [`_Static_assert(__builtin_offsetof(struct ${name}, ${member.name}) == ${member.bitOffset / 8}, "");`],
        );
        return [`_Static_assert(sizeof(struct ${name}) == ${type.size}, "");`, ...offsets];
      });
      // The same structs written by hand: the printed ones could be forced into shape by padding.
      const source = `typedef unsigned long long size_t_; enum mode { OFF, ON = 5 }; enum big { SMALL = 1, LARGE = 1ULL << 40 };
struct point { int x, y; };
struct event { unsigned pid; unsigned low : 3; unsigned short mid : 14; unsigned long long high : 40; char comm[16];
 unsigned long long at; enum mode mode; enum big big; _Bool good; struct point corners[2];
 union { unsigned long long whole; unsigned half; unsigned char bytes[8]; } number; double ratio; struct event *next;
 struct task_struct *owner; struct point *where; size_t_ size; };
struct tight { unsigned char a; unsigned b; unsigned long long c; } __attribute__((packed));
${checks.join('\n')}`;
      const args = ['-target', target, '-fsyntax-only', '-Wno-everything', '-x', 'c', '-'];
      expect(spawnSync('clang-19', args, { input: source, encoding: 'utf8' }).stderr).toBe('');
      expect(checks.length).toBeGreaterThan(15);
    });
  },
);
