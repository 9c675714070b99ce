import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/base/index.js';
import type { Engine } from '../../../src/runtime/index.js';
import { describeWithLinux, type LinuxOracle } from '../../../test/oracle/linux.js';
import { SideBySide, sides } from '../../../test/runtime/side-by-side.js';
import { formatCases, prepareMaps, printkProgram, snprintfProgram, type FormatArg } from './format-program.js';

const RUNS = Number(process.env['KSCOPE_FORMAT_RUNS'] ?? 300);

/** The kernel hides addresses behind a hash, and its symbols are its own: only lengths can be equal. */
const hidden = /%[0 +-]*[0-9]*p([^xiIku]|$)/;

/** Once these run out of room the kernel prints garbage for the arguments after them. */
const prepared = /p[kuBiI]/;

describeWithLinux('formats print what the kernel prints', (linux) => {
  describe.each(sides)('%s', (_name, engine) => formatsOf(linux, engine));
});

function formatsOf(linux: LinuxOracle, engine: () => Engine): void {
  it('bpf_snprintf: result and text', async () => {
    const property = fc.asyncProperty(formatCases, fc.constantFrom(1, 4, 40, 2048), async ({ format, args }, size) => {
      const pair = new SideBySide(linux, engine());
      await prepareMaps(pair, format);
      await compareSnprintf(pair, format, args, prepared.test(format) ? 2048 : size);
      await pair.close();
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it('bpf_trace_printk: result', async () => {
    const property = fc.asyncProperty(formatCases, async ({ format, args }) => {
      const pair = new SideBySide(linux, engine());
      await prepareMaps(pair, format);
      const size = new TextEncoder().encode(format).length + 1;
      const result = await pair.run(printkProgram(args, size));
      expect(result.ours).toBe(result.linux);
      await pair.close();
    });
    await fc.assert(property, { numRuns: RUNS });
  });
}

async function compareSnprintf(
  pair: SideBySide,
  format: string,
  args: readonly FormatArg[],
  size: number,
): Promise<void> {
  const program = snprintfProgram(args, size);
  const result = await pair.run(program).catch((error: Error) => error);
  if (result instanceof Error) {
    // The verifier looks at constant formats and refuses the program.
    expect(result.message).toMatch(/Invalid format string/);
    expect(pair.runOurs(program)).toBe(-Errno.EINVAL);
    return;
  }
  expect(result.ours, 'result').toBe(result.linux);
  if (hidden.test(format)) return;
  const output = await pair.firstValue(pair.maps[3]);
  expect(output.ours, 'text').toEqual(output.linux);
}
