import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { Interrupt } from '../../src/cli/interrupt.js';

it('leaves Ctrl-C to the system until somebody asks for its signal, and takes one', () => {
  const source = new EventEmitter();
  const interrupt = new Interrupt(source);
  expect(source.listenerCount('SIGINT')).toBe(0);
  const { signal } = interrupt;
  expect(interrupt.signal).toBe(signal);
  expect(source.listenerCount('SIGINT')).toBe(1);
  expect(signal.aborted).toBe(false);
  source.emit('SIGINT');
  expect(signal.aborted).toBe(true);
  expect(source.listenerCount('SIGINT')).toBe(0);
});
