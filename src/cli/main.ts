#!/usr/bin/env node
import { writeFileSync, writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { runCli } from './cli.js';
import { Interrupt } from './interrupt.js';
import type { CliIo } from './io.js';
import { readFile } from './read-file.js';

const interrupt = new Interrupt(process);

const io: CliIo = {
  out: (line) => writeAll(1, `${line}\n`),
  err: (line) => writeAll(2, `${line}\n`),
  readFile,
  writeFile: (path, content) => writeFileSync(path, content),
  writeBytes: (path, bytes) => writeFileSync(path, bytes),
  readStdin: () => text(process.stdin),
  get signal() {
    return interrupt.signal;
  },
};

/** Synchronous, so that nothing is lost at exit; a reader that went away (`| head`) ends us quietly. */
function writeAll(fd: number, line: string): void {
  let rest = Buffer.from(line);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
    }
  }
}

process.exitCode = await runCli(process.argv.slice(2), io);
