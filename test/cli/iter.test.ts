import { describe, expect, it } from 'vitest';
import { kscope } from './capture-io.js';

const OBJECT = 'test/testdata/hook-objects/iter.bpf.o';

describe('kscope iter', () => {
  it('prints what one iterator writes, after the host has run for a while', async () => {
    const { code, out } = await kscope(['iter', OBJECT, 'dump_task', '--seed', '3']);
    expect(code).toBe(0);
    expect(out[0]).toBe('    tgid      pid comm');
    expect(out[1]).toBe('       1        1 init');
    expect(out.at(-1)).toMatch(/^end of session \d, cookie 0$/);
    expect(out.length).toBeGreaterThan(4);
  });

  it('gives one JSON object for each iterator of the object', async () => {
    const { code, out } = await kscope(['iter', OBJECT, '--json', '--duration', '0.002']);
    expect(code).toBe(0);
    const rows = out.map((line) => JSON.parse(line) as { type: string; data: { target: string } });
    expect(rows.map(({ type, data }) => [type, data.target])).toEqual([
      ['iter', 'task'],
      ['iter', 'task_file'],
      ['iter', 'bpf_map'],
    ]);
  });

  it.each([
    ['no object', ['iter'], /which object file/],
    ['an iterator the object lacks', ['iter', OBJECT, 'nobody'], /no iterator "nobody"; there are: dump_task/],
    ['an object without iterators', ['iter', 'examples/opensnoop.bpf.o'], /the object has no iterators/],
    ['a map the object lacks', ['iter', OBJECT, '--map', 'none'], /--map: no map "none"; there are: counts/],
  ])('%s is bad usage', async (_name, args, message) => {
    const { code, err } = await kscope(args);
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(message);
  });
});

it('kscope run ends with what the iterators write', async () => {
  const { code, out } = await kscope(['run', OBJECT, '--duration', '0.003']);
  expect(code).toBe(0);
  expect(out.join('\n')).toMatch(/iter\/task dump_task:\n {4}tgid {6}pid comm\n/);
  expect(out.join('\n')).toMatch(/iter\/bpf_map dump_map:\n1 counts 4\/8 5000\n/);
});
