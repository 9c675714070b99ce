import { describe, expect, it } from 'vitest';
import { V86Console } from '../../../src/host/v86/v86-console.js';

function printed(text: string): V86Console {
  const console = new V86Console();
  for (const byte of new TextEncoder().encode(text)) console.put(byte);
  return console;
}

describe('the console of a guest', () => {
  it('is text without carriage returns, the unfinished line included', () => {
    expect(printed('one\r\nzwölf\r\nthr').text).toBe('one\nzwölf\nthr');
  });

  it.each([
    ['[    1.5] BUG: kernel NULL pointer dereference, address: 00000000'],
    ['[  3.000000] Kernel panic - not syncing: Attempted to kill init!'],
    ['[  3.1] Oops: 0000 [#1] PREEMPT SMP'],
    ['int3: 0000 [#1] PREEMPT SMP NOPTI'],
    ['[    4.0] general protection fault: 0000 [#1]'],
  ])('knows the last words of a kernel: %s', (line) => {
    expect(printed('hello\n').oops).toBeNull();
    expect(printed(`hello\r\n${line}\r\nEIP: here\r\n`).oops).toBe(`${line}\nEIP: here`);
  });

  it.each([['debugging: BUG: none'], ['echo "Kernel panic - "'], ['[ 1.0] Mounted /Oops: yes']])(
    'does not take other words for them: %s',
    (line) => expect(printed(`${line}\n`).oops).toBeNull(),
  );
});
