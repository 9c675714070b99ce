import { type Arch, ptRegsView } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';

/** How the value of a USDT argument is found. */
export interface UsdtArg {
  readonly kind: 'const' | 'reg' | 'deref';
  /** The value of a constant, or what is added to the register before it is followed. */
  readonly value: bigint;
  /** Byte offset of the register in struct pt_regs; 0 for constants. */
  readonly regOffset: number;
  /** Bytes of the value: 1, 2, 4 or 8. */
  readonly size: number;
  readonly signed: boolean;
}

/** Forms of an argument behind `N@`, with groups for value, register. */
type Form = readonly [kind: UsdtArg['kind'], pattern: RegExp, value: number, register: number];

const X86_FORMS: readonly Form[] = [
  ['deref', /^(-?\d+|-?0x[0-9a-f]+)?\(%([a-z0-9]+)\)$/, 1, 2],
  ['reg', /^%([a-z0-9]+)$/, 0, 1],
  ['const', /^\$(-?\d+|-?0x[0-9a-f]+)$/, 1, 0],
];

/** By architecture: what gcc and clang write for it, as libbpf reads it. */
const FORMS: Readonly<Partial<Record<Arch['name'], readonly Form[]>>> = {
  x86_64: X86_FORMS,
  i386: X86_FORMS,
  arm64: [
    ['deref', /^\[\s*([a-z0-9]+)\s*(?:,\s*(-?\d+)\s*)?\]$/, 2, 1],
    ['const', /^(-?\d+)$/, 1, 0],
    ['reg', /^([a-z][a-z0-9]*)$/, 0, 1],
  ],
  riscv64: [
    ['deref', /^(-?\d+)?\(([a-z0-9]+)\)$/, 1, 2],
    ['const', /^(-?\d+)$/, 1, 0],
    ['reg', /^([a-z][a-z0-9]*)$/, 0, 1],
  ],
};

/**
 * Compiles one argument of a USDT note: `-4@%eax`, `8@-16(%rbp)`, `4@$3`, `8@[sp, 8]`, `8@16(s0)`. EINVAL names what it
 * cannot read, EOPNOTSUPP an architecture whose forms are not known.
 */
export function parseUsdtArg(text: string, arch: Arch): UsdtArg {
  const forms = FORMS[arch.name];
  if (forms === undefined) {
    throw new BpfError('EOPNOTSUPP', `reading USDT arguments of ${arch.name}`, { value: text });
  }
  const match = /^(-?)([1248])(?:f)?@(.+)$/s.exec(text.trim());
  const operand = match?.[3]?.trim() ?? '';
  for (const [kind, pattern, valueGroup, registerGroup] of forms) {
    const found = match === null ? null : pattern.exec(operand);
    if (match === null || found === null) continue;
    return {
      kind,
      value: BigInt.asIntN(64, parseValue(valueGroup === 0 ? undefined : found[valueGroup])),
      regOffset: registerGroup === 0 ? 0 : registerOffset(found[registerGroup] ?? '', arch, text),
      size: Number(match[2]),
      signed: match[1] === '-',
    };
  }
  throw new BpfError('EINVAL', 'reading a USDT argument', {
    value: text,
    remedy: `on ${arch.name} an argument is SIZE@OPERAND with a size of 1, 2, 4 or 8 and a constant, register or memory operand`,
  });
}

function parseValue(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

function registerOffset(name: string, arch: Arch, text: string): number {
  const wanted = arch.name === 'x86_64' || arch.name === 'i386' ? x86Register(name) : name;
  const slot = ptRegsView(arch.ptRegs).slot(wanted);
  if (slot >= 0) return arch.ptRegs.slotSize * slot;
  throw new BpfError('EINVAL', 'reading a USDT argument', {
    value: text,
    remedy: `struct pt_regs of ${arch.name} has no register ${name}`,
  });
}

/** rax, eax, ax and al are all pt_regs' ax. */
function x86Register(name: string): string {
  const numbered = /^(r(?:8|9|1[0-5]))[dwb]?$/.exec(name);
  if (numbered !== null) return numbered[1] ?? name;
  const whole = /^[re]?(ax|bx|cx|dx|si|di|bp|sp|ip)$/.exec(name);
  if (whole !== null) return whole[1] ?? name;
  const low = /^([abcd])l$/.exec(name);
  if (low !== null) return `${low[1]}x`;
  const index = /^(si|di|bp|sp)l$/.exec(name);
  return index?.[1] ?? name;
}
