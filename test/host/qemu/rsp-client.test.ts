import { describe, expect, it } from 'vitest';
import { RspClient } from '../../../src/host/qemu/index.js';
import { ScriptedStub } from './scripted-stub.js';

const QEMU = 'PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+';

/** A started client of a stub with these answers; what is not among them is unknown to it. */
function connect(answers: Readonly<Record<string, string>> = {}): { client: RspClient; stub: ScriptedStub } {
  const stub = new ScriptedStub((request) => {
    if (request.startsWith('qSupported')) return answers['qSupported'] ?? QEMU;
    if (request.startsWith('vCont;c')) return null;
    return answers[request] ?? '';
  });
  const client = new RspClient(stub, { timeoutMs: 20 });
  client.start();
  stub.asked.length = 0;
  return { client, stub };
}

describe('RspClient', () => {
  it('drops what a stub says before it is greeted', () => {
    const stub = new ScriptedStub(() => QEMU);
    stub.say('T02thread:01;');
    const client = new RspClient(stub);
    client.start();
    expect(client.feature('PacketSize')).toBe('1000');
    expect(client.feature('vContSupported')).toBe('+');
  });

  it('asks stubs that would wait for acknowledgements to go without', () => {
    const { stub } = connect({ qSupported: 'QStartNoAckMode+', QStartNoAckMode: 'OK' });
    expect(stub.raw).toEqual([0x2b, 0x2b, 0x2b]);
  });

  it('never acknowledges QEMU once it has greeted it', () => {
    const { client, stub } = connect({ g: '00' });
    stub.raw.length = 0;
    client.request('g');
    client.resume();
    stub.say('T05thread:01;');
    client.waitStop(10);
    expect(stub.raw).toEqual([]);
  });

  it('reads memory in pieces that fit a packet', () => {
    const { client, stub } = connect({
      qSupported: 'PacketSize=60',
      'm1000,20': 'ab'.repeat(32),
      'm1020,8': 'cd'.repeat(8),
    });
    expect(client.readMemory(0x1000n, 40)).toEqual(Uint8Array.from([...Array(32).fill(0xab), ...Array(8).fill(0xcd)]));
    expect(stub.asked).toEqual(['m1000,20', 'm1020,8']);
  });

  it.each([
    ['a fault', 'E14', null],
    ['less than was asked for, then a fault', 'abcd', null],
  ])('answers null for %s', (_what, answer, expected) => {
    const { client } = connect({ 'mffffffff81000000,4': answer, 'mffffffff81000002,2': 'E14' });
    expect(client.readMemory(0xffff_ffff_8100_0000n, 4)).toBe(expected);
  });

  it('writes memory as bytes where the stub takes them, else in hexadecimal', () => {
    const hex = connect({ 'M1000,2:cc23': 'OK' });
    expect(hex.client.writeMemory(0x1000n, Uint8Array.of(0xcc, 0x23))).toBe(true);
    expect(hex.stub.asked).toEqual(['X1000,0:', 'M1000,2:cc23']);
    const binary = connect({ 'X1000,0:': 'OK', 'X1000,2:Ì#': 'OK' });
    expect(binary.client.writeMemory(0x1000n, Uint8Array.of(0xcc, 0x23))).toBe(true);
    expect(binary.stub.asked).toEqual(['X1000,0:', 'X1000,2:Ì#']);
  });

  it('lists threads over several answers', () => {
    const { client } = connect({ qfThreadInfo: 'm01,02', qsThreadInfo: 'l' });
    expect(client.threads()).toEqual(['01', '02']);
  });

  it('chooses a thread once for many accesses', () => {
    const { client, stub } = connect({ Hg02: 'OK', g: 'aabb', p5: '0100000000000000' });
    expect(client.registersOf('02')).toEqual(Uint8Array.of(0xaa, 0xbb));
    client.registerOf('02', { name: 'rdi', bits: 64, number: 5, offset: 40 });
    expect(stub.asked).toEqual(['Hg02', 'g', 'p5']);
  });

  it('tells a guest that still runs from one that stopped', () => {
    const { client, stub } = connect();
    client.resume();
    expect(client.waitStop(1)).toBeNull();
    expect(client.running).toBe(true);
    client.interrupt();
    expect(stub.raw.at(-1)).toBe(3);
    stub.say('T02thread:01;');
    expect(client.waitStop(10)).toMatchObject({ kind: 'stopped', signal: 2 });
    expect(client.running).toBe(false);
  });

  it('keeps console output apart from answers', () => {
    const heard: string[] = [];
    const stub = new ScriptedStub((request) => (request === 'g' ? 'OK' : QEMU));
    const client = new RspClient(stub, { onConsole: (text) => heard.push(text) });
    client.start();
    stub.say('O48690a');
    expect(client.request('g')).toBe('OK');
    expect(heard).toEqual(['Hi\n']);
  });

  it.each([['an answer that does not come', () => connect({}).client, 'qC', /ETIMEDOUT/]])(
    'gives up on %s',
    (_what, make, request, message) => {
      const client = make();
      const silent = new RspClient(new ScriptedStub((asked) => (asked.startsWith('qSupported') ? QEMU : null)), {
        timeoutMs: 5,
      });
      silent.start();
      expect(() => silent.request(request)).toThrow(message);
      expect(client.request(request)).toBe('');
    },
  );

  it('takes no late answer for that of another request', () => {
    const stub = new ScriptedStub((asked) => (asked.startsWith('qSupported') ? QEMU : null));
    const client = new RspClient(stub, { timeoutMs: 5 });
    client.start();
    expect(() => client.request('m1000,4')).toThrow(/ETIMEDOUT/);
    stub.say('deadbeef');
    expect(() => client.request('m2000,4')).toThrow(/no answer came to m1000,4\]: EPIPE; connect anew/);
    expect(() => client.requests(['g'])).toThrow(/EPIPE/);
  });

  it.each([
    ['refused', 'E22', /value E22\]: EIO; the stub refused it/],
    ['unknown', '', /EOPNOTSUPP; the stub does not know this request/],
  ])('says that a request was %s', (_what, answer, message) => {
    const { client } = connect({ 'Z0,1000,1': answer });
    expect(() => client.insertBreakpoint(0x1000n, 1)).toThrow(message);
  });

  it('asks nothing of a guest that runs', () => {
    const { client } = connect();
    client.resume();
    expect(() => client.request('g')).toThrow(/EBUSY; the guest runs: stop it first/);
    expect(() => client.resume()).toThrow(/EBUSY; it runs already/);
  });
});
