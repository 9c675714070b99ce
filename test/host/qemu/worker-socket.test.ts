import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WorkerSocket } from '../../../src/host/qemu/node/index.js';

/** Requests and answers; the race that a late wake-up would lose comes once in some thousands. */
const ROUNDS = Number(process.env['KSCOPE_CASES'] ?? 20_000);
const ECHO = `require('net').createServer((s) => s.on('data', (d) => s.write(d)).on('error', () => 0)).listen(process.argv[1])`;

const folder = mkdtempSync(join(tmpdir(), 'kscope-echo-'));
const path = join(folder, 'socket');
let server: ChildProcess;
let socket: WorkerSocket;

beforeAll(() => {
  server = spawn(process.execPath, ['-e', ECHO, path], { stdio: 'ignore' });
  socket = new WorkerSocket({ path }, 20_000);
});

afterAll(() => {
  socket.close();
  server.kill();
  rmSync(folder, { recursive: true });
});

it('waits for an answer as long as it was told to, whenever it is woken', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const request = Uint8Array.of(round);
    socket.send(request);
    expect(socket.receive(20_000), `round ${round}`).toEqual(request);
  }
});

it('gives up when the time is over', () => {
  const started = performance.now();
  expect(socket.receive(50)).toBeNull();
  expect(performance.now() - started).toBeGreaterThanOrEqual(45);
});
