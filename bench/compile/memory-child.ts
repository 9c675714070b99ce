import { setTimeout } from 'node:timers/promises';
import { BpfRuntime, createBareHost, type ProgramInput } from 'kscope/runtime';
import { PLAIN_ENGINES } from '../engines.js';
import { collectGarbage } from '../garbage.js';
import { programMaker } from './program-of-size.js';

const PROGRAMS = 1000;
const INSNS = 100;
const MIB = 2 ** 20;

const name = process.argv[2] ?? 'jit';
const engine = PLAIN_ENGINES.find((row) => row.name === name)?.create();
if (engine === undefined) throw new Error(`there is no engine ${name}`);
const runtime = new BpfRuntime(createBareHost(), { engine });
const make = programMaker(runtime);
const context = new Uint8Array(256);

// The compiler itself, and what it needs once.
loadAndRun(Array.from({ length: 20 }, () => make(INSNS))).forEach((program) => program.release());
const inputs = Array.from({ length: PROGRAMS }, () => make(INSNS));
const before = await resident();
const [loaded, unloaded] = await loadAndUnload();
const [loadedAgain, unloadedAgain] = await loadAndUnload();
console.log(JSON.stringify({ engine: name, loaded, unloaded, loadedAgain, unloadedAgain }));

async function loadAndUnload(): Promise<[loaded: number, unloaded: number]> {
  const programs = loadAndRun(inputs);
  const with1000 = await resident();
  for (const program of programs) program.release();
  programs.length = 0;
  return [with1000 - before, (await resident()) - before];
}

function loadAndRun(from: readonly ProgramInput[]): ReturnType<typeof runtime.loadProgram>[] {
  return from.map((input) => {
    const program = runtime.loadProgram(input);
    runtime.testRun(program, { dataIn: context });
    return program;
  });
}

/** Megabytes, once all garbage is gone: code and instances of WebAssembly go a while after what refers to them. */
async function resident(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await setTimeout(50);
  }
  return process.memoryUsage().rss / MIB;
}
