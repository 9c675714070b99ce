import type { PtRegsLayout } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';
import type { Btf, BtfFuncProto, BtfParam } from '../../btf/index.js';

/** Words of arguments at most (MAX_BPF_FUNC_ARGS). */
export const MAX_ARG_WORDS = 12;
/** Bytes of a struct that is passed by value in registers at most. */
const MAX_STRUCT = 16;

/** Where one word of the arguments is at a function's entry: slot of a register, or word of the stack. */
export type ArgumentWord = { readonly slot: number } | { readonly stack: number };

type TypesOfFunctions = Pick<Btf, 'prototypeOf' | 'resolve'>;

/** What a trampoline must know of a function (the kernel's struct btf_func_model). */
export interface FunctionModel {
  readonly name: string;
  readonly proto: BtfFuncProto;
  /** One for each u64 of a program's context. */
  readonly words: readonly ArgumentWord[];
}

/**
 * The function of that name as the kernel's BTF types it. ESRCH where it does not have it (what libbpf answers), EINVAL for
 * variadic functions, too many arguments, and types that no trampoline passes on: as btf_distill_func_proto().
 */
export function functionModel(btf: TypesOfFunctions, name: string, layout: PtRegsLayout): FunctionModel {
  const what = `finding the types of function ${name}`;
  const proto = btf.prototypeOf(name);
  if (proto === undefined) {
    throw new BpfError('ESRCH', what, { value: name, remedy: 'the kernel BTF has no function of that name' });
  }
  const words = proto.params.map((param) => wordsOf(btf, param, what));
  const total = words.reduce((sum, count) => sum + count, 0);
  if (total > MAX_ARG_WORDS || proto.params.length > MAX_ARG_WORDS) {
    throw new BpfError('EINVAL', what, { value: total, remedy: `at most ${MAX_ARG_WORDS} arguments can be traced` });
  }
  checkReturn(btf, proto, what);
  return { name, proto, words: place(words, layout, what) };
}

function wordsOf(btf: TypesOfFunctions, param: BtfParam, what: string): number {
  if (param.type === 0)
    throw new BpfError('EINVAL', what, { value: '...', remedy: 'variadic functions are not traced' });
  const type = btf.resolve(param.type);
  switch (type.kind) {
    case 'int':
    case 'enum':
    case 'enum64':
    case 'ptr':
      return 1;
    case 'struct':
    case 'union':
      if (type.size > 0 && type.size <= MAX_STRUCT) return Math.ceil(type.size / 8);
  }
  throw new BpfError('EINVAL', what, {
    value: `${type.kind} ${type.name}`,
    remedy: `argument ${param.name}: numbers, pointers and structs of ${MAX_STRUCT} bytes can be passed on`,
  });
}

function checkReturn(btf: TypesOfFunctions, { returnType }: BtfFuncProto, what: string): void {
  const type = btf.resolve(returnType);
  if (['void', 'int', 'enum', 'enum64', 'ptr'].includes(type.kind)) return;
  throw new BpfError('EINVAL', what, {
    value: `${type.kind} ${type.name}`,
    remedy: 'a return value is a number or a pointer',
  });
}

/** An argument of two words is in registers as a whole, or on the stack. */
function place(counts: readonly number[], { args, stackArgs }: PtRegsLayout, what: string): ArgumentWord[] {
  const words: ArgumentWord[] = [];
  let register = 0;
  let stack = stackArgs ?? 0;
  for (const count of counts) {
    const inRegisters = register + count <= args.length;
    if (!inRegisters && stackArgs === null) {
      throw new BpfError('EINVAL', what, { value: counts.length, remedy: 'arguments on the stack are not passed on' });
    }
    for (let i = 0; i < count; i++) words.push(inRegisters ? { slot: args[register++] } : { stack: stack++ });
  }
  return words;
}
