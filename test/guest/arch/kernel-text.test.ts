import { describe, expect, it } from 'vitest';
import { capstone } from '../../oracle/capstone.js';
import { debianKernel, type DebianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { recording } from '../../oracle/golden.js';
import { golden } from '../../support/golden.js';
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

/** One instruction of each shape (mnemonic, kinds of operands, length), in the order of the listing. */
async function sample({ objdump: tool, kernel }: Oracle): Promise<string[]> {
  const shapes = new Map<string, string>();
  for await (const insns of tool.disassemble(kernel.path, { extra: ['-M', 'i386'] })) {
    for (const { bytes, text } of insns) {
      if (text.includes('(bad)') || bytes[0] === 0x9b) continue;
      const operands = text
        .replace(/ <.*| #.*/, '')
        .replaceAll(/%\w+/g, '%r')
        .replaceAll(/-?0x[0-9a-f]+/g, 'n');
      const shape = `${operands.replaceAll(/\b[0-9a-f]{8}\b/g, 'n')} ${bytes.length}`;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
      if (!shapes.has(shape)) shapes.set(shape, `${hex}\t${text.replace(/ <.*/, '')}`);
    }
  }
  return [...shapes.values()];
}

describeWith('the sample of an i386 kernel', oracleFor('i386'), (oracle) => {
  it.runIf(recording())(
    'is recorded for those who have no kernel',
    async () => {
      const lines = await sample(oracle);
      expect(lines.length).toBeGreaterThan(1000);
      golden('arch/i386-objdump.txt', lines.join('\n'));
    },
    300_000,
  );
});
