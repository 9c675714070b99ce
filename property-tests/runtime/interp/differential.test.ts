import fc from 'fast-check';
import { expect, it } from 'vitest';
import { disassemble } from '../../../src/runtime/index.js';
import { MapArea } from '../../../test/runtime/interp/generator/layout.js';
import {
  generate,
  generatedForms,
  type GeneratedProgram,
} from '../../../test/runtime/interp/generator/program-generator.js';
import { programSeeds } from '../../../test/runtime/interp/generator/program-seeds.js';
import { KscopeRunner, LinuxRunner, type Outcome } from '../../../test/runtime/interp/generator/runners.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';

/** KSCOPE_DIFF_PROGRAMS=100000 is the full run; KSCOPE_DIFF_SEED repeats one. */
const programs = Number(process.env['KSCOPE_DIFF_PROGRAMS'] ?? 5000);
const seed = Number(process.env['KSCOPE_DIFF_SEED'] ?? Date.now() & 0x7fff_ffff);
/** Each form is executed this often at least, in full runs and CI's; fewer programs cannot be asked for as much. */
const LEAST_EXECUTIONS = Math.min(1000, programs / 5);

describeWithLinux('interpreter against the kernel', (linux) => {
  it(`${programs} generated programs leave the same registers, memory and map bytes`, async () => {
    const kscope = new KscopeRunner();
    const kernel = new LinuxRunner(linux);
    const executions = new Map<string, number>();
    process.stdout.write(`differential run: ${programs} programs, KSCOPE_DIFF_SEED=${seed}\n`);
    await fc.assert(
      fc.asyncProperty(programSeeds, async (programSeed) => {
        const program = generate(programSeed, 0);
        const pending = kernel.run(program);
        // The requests go out in the next turn; then kernel and interpreter work side by side.
        await new Promise((resolve) => setImmediate(resolve));
        const actual = kscope.run(program);
        const expected = await pending;
        expect(describeOutcome(actual), listing(program)).toEqual(describeOutcome(expected));
        countExecutions(executions, program, expected);
      }),
      { numRuns: programs, seed },
    );
    process.stdout.write(executionTable(executions));
    const rare = generatedForms.filter(({ name }) => (executions.get(name) ?? 0) < LEAST_EXECUTIONS);
    expect(rare.map(({ name }) => `${name}: ${executions.get(name) ?? 0}`)).toEqual([]);
  }, 3_600_000);
});

/** In words, so that a difference names the register. */
function describeOutcome({ retval, value, packet }: Outcome): Record<string, string> {
  const view = new DataView(value.buffer, value.byteOffset);
  const described: Record<string, string> = {
    retval: retval.toString(16),
    packet: Buffer.from(packet).toString('hex'),
  };
  for (let r = 0; r < 10; r++) described[`r${r}`] = view.getBigUint64(MapArea.registers + 8 * r, true).toString(16);
  described['map'] = Buffer.from(value.subarray(MapArea.flags)).toString('hex');
  return described;
}

function listing({ insns }: GeneratedProgram): string {
  return disassemble(insns)
    .map(({ index, text }) => `${index}: ${text}`)
    .join('\n');
}

function countExecutions(executions: Map<string, number>, program: GeneratedProgram, { value }: Outcome): void {
  if (program.endsEarly) return;
  add(executions, program.always);
  program.conditional.forEach((counts, flag) => {
    if (value[MapArea.flags + flag] === 1) add(executions, counts);
  });
}

function add(executions: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, times] of counts) executions.set(name, (executions.get(name) ?? 0) + times);
}

function executionTable(executions: ReadonlyMap<string, number>): string {
  const rows = generatedForms.map(({ name }) => `${name.padEnd(24)}${String(executions.get(name) ?? 0).padStart(9)}`);
  const lines: string[] = [];
  for (let i = 0; i < rows.length; i += 4) lines.push(rows.slice(i, i + 4).join('   '));
  return `executions by instruction form:\n${lines.join('\n')}\n`;
}
