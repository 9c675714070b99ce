import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recording } from '../oracle/golden.js';
import { guestImage } from './guest-image.js';
import { askKernel } from './kprobe-events/boot.js';

const definitions = readFileSync(new URL('./kprobe-events/definitions.txt', import.meta.url), 'utf8');
const answers = new URL('../testdata/kprobe/events-x86_64.txt', import.meta.url);

/** Registers and addresses, which are others in each boot and each build of the kernel. */
function comparable(text: string): string[] {
  return text.split('\n').filter((line) => !/^(# |[SM] |H r?regs: )/.test(line));
}

describe('kprobe_events of a Debian kernel', () => {
  it('answers every definition as recorded', { timeout: 400_000 }, async () => {
    const { kernel } = await guestImage('x86_64');
    const told = await askKernel(kernel, definitions);
    if (recording()) {
      mkdirSync(new URL('./', answers), { recursive: true });
      writeFileSync(answers, told);
    }
    expect(comparable(told)).toEqual(comparable(readFileSync(answers, 'utf8')));
  });
});
