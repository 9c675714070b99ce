import { describe, expect, it } from 'vitest';
import { capstone } from '../../oracle/capstone.js';
import { debianKernel, type DebianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { compareListing } from '../../arch/decode/listing.js';

const LIMIT = Number(process.env['KSCOPE_CASES'] ?? Infinity);

interface Oracle {
  readonly objdump: Objdump;
  readonly kernel: DebianKernel;
}

function oracleFor(arch: 'x86_64' | 'i386'): Oracle | Unavailable {
  const tool = objdump();
  if ('unavailable' in tool) return tool;
  const kernel = debianKernel(arch);
  return 'unavailable' in kernel ? kernel : { objdump: tool, kernel };
}

describe.each(['x86_64', 'i386'] as const)('a whole %s kernel', (arch) => {
  describeWith('decoded', oracleFor(arch), ({ objdump: tool, kernel }) => {
    it('has instructions of the lengths that objdump and Capstone see', async () => {
      const cs = await capstone(arch);
      const { differences, compared, bad, asked, unknown } = await compareListing(
        tool,
        kernel.path,
        arch === 'i386' ? 32 : 64,
        { limit: LIMIT, capstone: cs },
      );
      cs.close();
      console.log(`${arch}: ${compared} compared, ${bad} bad; Capstone: ${asked} asked, unknown`, [...unknown]);
      expect(differences).toEqual([]);
      expect(compared).toBeGreaterThanOrEqual(Math.min(LIMIT, 1_000_000));
      expect(bad).toBeLessThan(10);
      expect([...unknown.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(asked / 1000);
    }, 900_000);
  });
});
