/**
 * What a probe does with every opcode, one row per group:
 *
 *     opcodes [/digits] [reg | mem] | class | plan
 *
 * Opcodes are hexadecimal, with ranges; digits are values of ModRM.reg where only some are meant, `reg` and `mem` the
 * kinds of operand where only one is. A later row stands for what earlier ones leave open. `refuse ERRNO` is followed by a part
 * of the reason. `none` is no instruction; `bytes` are prefixes and escapes. A plan of `simulate` falls back to a slot where
 * its operand is memory; `simulate!` never does.
 */
export const ONE_BYTE: readonly string[] = [
  '0f 26 2e 36 3e 40-4f 64-67 f0 f2 f3 62 c4 c5 | - | bytes',
  '06 07 0e 16 17 1e 1f 27 2f 37 3f 60 61 82 9a ce d4-d6 ea | - | none',
  '00-3f | other | simulate',
  '50-57 68 6a | push | simulate!',
  '58-5f | pop | simulate!',
  '63 | other | simulate',
  '69 6b | other | slot',
  '6c-6f a4-a7 aa-af | string | slot',
  '70-7f | jcc | simulate!',
  '80 81 83-85 88-8b | other | simulate',
  '86 87 | other | slot',
  '8c | other | slot',
  '8d mem | other | simulate!',
  '8d reg | other | slot',
  '8e /2 | mov-ss | refuse EINVAL load of SS',
  '8e | system | slot',
  '8f /0 mem | pop | simulate',
  '8f /0 | pop | slot',
  '8f /4 | pop | slot',
  '8f | - | bytes',
  '90 | nop | simulate!',
  '91-99 9b 9e 9f | other | slot',
  '9c | pushf | simulate!',
  '9d | popf | simulate!',
  'a0-a3 | other | slot',
  'a8 a9 b0-bf | other | simulate',
  'c0 c1 d0-d3 | other | slot',
  'c2 c3 | ret | simulate!',
  'c6 c7 /0 | other | simulate',
  'c6 c7 | other | slot',
  'c8 | push | slot',
  'c9 | leave | simulate!',
  'ca cb | far-transfer | refuse EOPNOTSUPP code segment',
  'cc | int3 | refuse EINVAL did not place',
  'cd f1 | int | refuse EOPNOTSUPP software interrupt',
  'cf | iret | refuse EOPNOTSUPP leaves the kernel',
  'd7 d8-df | other | slot',
  'e0-e3 | loop | simulate!',
  'e4-e7 ec-ef | system | slot',
  'e8 | call-rel | simulate!',
  'e9 eb | jmp-rel | simulate!',
  'f4 | hlt | refuse EOPNOTSUPP sleep',
  'f5 f8 f9 fc fd | other | slot',
  'f6 f7 /0-3 | other | simulate',
  'f6 f7 | other | slot',
  'fa fb | interrupt-flag | simulate!',
  'fe ff /0-1 | other | simulate',
  'ff /2 | call-indirect | simulate!',
  'ff /3 5 | far-transfer | refuse EOPNOTSUPP code segment',
  'ff /4 | jmp-indirect | simulate!',
  'ff /6 | push | simulate',
  'ff /7 | ud | refuse EINVAL BUG',
  'fe | other | slot',
];

/** What 32-bit mode has in their place. There, what writes the stack pointer runs in a slot. */
export const ONE_BYTE_32: readonly string[] = [
  '0f 26 2e 36 3e 64-67 f0 f2 f3 | - | bytes',
  '06 0e 16 1e 60 | push | slot',
  '07 61 | pop | slot',
  '17 | mov-ss | refuse EINVAL load of SS',
  '1f | pop | refuse EINVAL pop ds for pop ss',
  '27 2f 37 3f d4-d6 | other | slot',
  '03 0b 13 1b 23 2b 33 8b 8d /4 | other | slot',
  '44 4c bc | other | slot',
  '5c | pop | slot',
  '40-4f | other | simulate',
  '62 c4 c5 mem | other | slot',
  '62 c4 c5 reg | - | bytes',
  '63 | other | slot',
  '82 | other | simulate',
  '9a ea | far-transfer | refuse EOPNOTSUPP code segment',
  'ce | int | refuse EOPNOTSUPP software interrupt',
];

/** What 32-bit mode has in place of the first of the following rows. */
export const TWO_BYTE_32: readonly string[] = ['40-4f b6 b7 be bf /4 | other | slot'];

/** After 0F, in both modes. */
export const TWO_BYTE: readonly string[] = [
  '38 3a | - | bytes',
  '04 0a 0c 24-27 36 39 3b-3f | - | none',
  '01 /0 reg | system | refuse EOPNOTSUPP VM extensions',
  '01 /7 reg | system | first of f8-ff',
  '00 01 06 08 09 20-23 30 aa | system | slot',
  '02 03 0e 0f 10-17 28-2f 31-33 37 50-77 a2-a7 ab-af | other | slot',
  '05 34 | syscall | refuse EOPNOTSUPP return address',
  '07 35 | sysret | refuse EOPNOTSUPP leave the kernel',
  '0b b9 ff | ud | refuse EINVAL BUG',
  '0d 18-19 1c-1f | nop | simulate!',
  '1a 1b | nop | slot',
  '40-4f 90-9f b6 b7 be bf | other | simulate',
  '78-7f | other | slot',
  '80-8f | jcc | simulate!',
  'a0 a8 | push | slot',
  'a1 a9 | pop | slot',
  'b0-b5 b8 ba-bd c0-fe | other | slot',
];
