import { expect, it } from 'vitest';
import { x86_64, type Arch, type ProbeContext } from '../../src/arch/index.js';
import { KprobeRegistry } from '../../src/kprobe/index.js';
import { TestHost } from '../support/test-host.js';

const CODE = [0x90, 0x90, 0x55, 0x53, 0x90, 0xc3];

/** What an architecture that wants to see `contextSize` bytes before a probe is shown of those at `offsets`. */
function contextsOf(
  contextSize: number,
  restoresStackPointer: boolean | undefined,
  offsets: readonly number[],
): ProbeContext[] {
  const host = new TestHost({ functions: { before: [0xc3], code: CODE } });
  const seen: ProbeContext[] = [];
  const arch: Arch = {
    ...x86_64,
    probing: {
      ...x86_64.probing,
      contextSize,
      plan(bytes, address, context) {
        if (context !== undefined) seen.push({ ...context, before: context.before.slice() });
        return x86_64.probing.plan(bytes, address, context);
      },
    },
  };
  Object.defineProperty(host, 'arch', { value: arch });
  Object.defineProperty(host.text, 'restoresStackPointer', { value: restoresStackPointer });
  const kprobes = new KprobeRegistry(host);
  for (const offset of offsets) kprobes.register({ symbolName: 'code', offset });
  kprobes.close();
  return seen;
}

it('a plan sees the bytes before its probe as they are without probes, none from before the function', () => {
  const seen = contextsOf(3, undefined, [0, 2, 3, 5]).map(({ before }) => [...before]);
  expect(seen).toEqual([[], [0x90, 0x90], [0x90, 0x90, 0x55], [0x55, 0x53, 0x90]]);
});

it('a plan sees none where the architecture looks at none', () => {
  expect(contextsOf(0, undefined, [4]).map(({ before }) => before.length)).toEqual([0]);
});

it.each([
  [undefined, false],
  [false, false],
  [true, true],
])('a plan knows whether the host restores the stack pointer: %s', (said, known) => {
  expect(contextsOf(0, said, [0]).map((context) => context.restoresStackPointer)).toEqual([known]);
});
