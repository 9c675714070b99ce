import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import { eventDecoder, type ProgramFault, RingBufferMap } from '../../src/runtime/index.js';
import type { HookEvent } from '../machine/hook-session.js';
import { instance } from '../support/instance.js';
import { bootQemuLinux, damage, type QemuLinux } from './qemu-linux.js';

const MINUTES = 60_000;
const TURNS = 40;

const object = (name: string): CollectionSpec =>
  CollectionSpec.parse(readFileSync(new URL(`../testdata/hook-objects/${name}.bpf.o`, import.meta.url)));

/** Programs that know the kernel's types, on a Linux that knows nothing of them. */
describe('functions with types on a Linux guest', () => {
  let guest: QemuLinux;
  let machine: Machine;
  const faults: ProgramFault[] = [];

  beforeAll(async () => {
    guest = await bootQemuLinux('x86_64', 'mailbox');
    machine = new Machine(guest.host, { onFault: (fault) => faults.push(fault) });
  }, 3 * MINUTES);

  afterAll(() => {
    machine?.close();
    guest?.host.close();
  });

  /** What the programs of hooks.bpf.o see while the guest runs `command`. */
  function watch(
    programs: readonly string[],
    command: string,
    constants: Readonly<Record<string, bigint>> = {},
  ): { readonly events: HookEvent[]; readonly counts: ReadonlyMap<string, number> } {
    const spec = object('hooks');
    for (const [name, value] of Object.entries(constants)) spec.variables.get(name)?.set(value);
    const collection = Collection.load(spec, machine.runtime, { programs });
    const links = [...collection.programs.values()].map(({ program, attach }) =>
      machine.attach(program, attach, { cookie: 55n }),
    );
    const counts = guest.session.run(command);
    for (const link of links) link.detach();
    if (spec.btf === null) throw new Error('the object has no BTF');
    const decode = eventDecoder(spec.btf, 'hook_event');
    const events: HookEvent[] = [];
    const reader = machine.readRings(instance(collection.maps.get('events'), RingBufferMap));
    reader.poll(({ data }) => events.push(decode(data) as unknown as HookEvent));
    reader.close();
    collection.close();
    return { events, counts };
  }

  it('fentry and fexit see each read, its file, its result, cookie and stack', { timeout: 3 * MINUTES }, () => {
    const { events, counts } = watch(['on_fentry', 'on_fexit'], `open ${TURNS} 1`);
    expect(counts.get('reads')).toBe(TURNS);
    const ip = guest.host.symbols.lookup('vfs_read')?.address;
    for (const [hook, results] of [
      ['fentry', undefined],
      ['fexit', 8n],
    ] as const) {
      const seen = events.filter((event) => event.hook === hook && event.text === 'counted');
      expect(seen).toHaveLength(TURNS);
      for (const event of seen) {
        expect([event.args[2], event.ip, event.cookie, event.stack[0]]).toEqual([8n, ip, 55n, ip]);
        expect(guest.host.symbols.format(event.stack[1])).toMatch(/^ksys_read\+/);
        if (results !== undefined) expect(event.ret).toBe(results);
      }
    }
    expect(faults).toEqual([]);
  });

  it('fmod_ret makes opens fail', { timeout: 3 * MINUTES }, () => {
    const { events, counts } = watch(['on_fmod_ret', 'on_denied'], `open ${TURNS} 1`, { deny_every: 2n });
    const asked = events.filter(({ hook, text }) => hook === 'fmod_ret' && text === 'counted');
    const answers = events.filter(({ hook }) => hook === 'fexit denied').map(({ ret }) => BigInt.asIntN(32, ret));
    expect(asked).toHaveLength(TURNS);
    expect(answers.filter((ret) => ret === -13n).length).toBeGreaterThanOrEqual(TURNS / 2 - 1);
    expect(counts.get('failed')).toBeGreaterThanOrEqual(TURNS / 2 - 1);
    expect(faults).toEqual([]);
  });

  it('iterators walk its tasks and files', { timeout: 3 * MINUTES }, () => {
    const collection = Collection.load(object('iter'), machine.runtime, { programs: ['dump_task', 'dump_task_file'] });
    const texts = [...collection.programs.values()].map(({ program, attach }) => {
      const link = machine.attach(program, attach);
      const text = link.openIter().text();
      link.detach();
      return text;
    });
    collection.close();
    const tasks = texts[0].trimEnd().split('\n').slice(1, -1);
    expect(tasks[0]).toBe('       1        1 init');
    expect(tasks[1]).toBe('       2        2 kthreadd');
    expect(tasks.length).toBeGreaterThan(20);
    expect(texts[1]).toMatch(/^1 \d+ \S+$/m);
    expect(faults).toEqual([]);
  });

  it('leave the guest unharmed', () => {
    expect(damage(guest.machine.console.text)).toBeNull();
    expect(guest.session.run('open 5 1').get('opens')).toBe(5);
  });
});
