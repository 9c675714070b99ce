import { describe, expect, it } from 'vitest';
import { runTool } from '../../../src/cli/guest/run-tool.js';
import { barText, StepReporter } from '../../../src/cli/guest/steps.js';

describe('a tool that fails', () => {
  it.each([
    [
      'apt, complaints first',
      'echo noise; echo "E: Unable to locate package x" >&2; exit 100',
      'E: Unable to locate package x',
    ],
    ['another, its last lines', 'echo one; echo two >&2; exit 3', 'one | two'],
    ['one that says nothing', 'exit 1', 'it said nothing'],
  ])('tells what %s said', async (_what, script, said) => {
    await expect(runTool('sh', ['-c', script])).rejects.toMatchObject({
      code: 'EIO',
      message: expect.stringContaining(said),
    });
  });

  it('is named where it is not installed', async () => {
    const refused = { code: 'ENOENT', message: expect.stringContaining('not installed') };
    await expect(runTool('kscope-no-such-tool', [])).rejects.toMatchObject(refused);
    // What a search of PATH ends with where one of its folders is closed to the user.
    await expect(runTool('/etc/passwd', [])).rejects.toMatchObject(refused);
  });

  it('ends when it is told to', async () => {
    const abort = new AbortController();
    const running = runTool('sleep', ['60'], { signal: abort.signal });
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'EINTR' });
  });
});

describe('steps', () => {
  it('hear the status lines of a tool, whatever pieces they come in', async () => {
    const lines: string[] = [];
    await runTool('sh', ['-c', 'printf "dlstatus:1:5" >&3; printf "0:x\\ndlstatus:1:100:y\\n" >&3; echo out'], {
      onStatus: (line) => lines.push(line),
    });
    expect(lines).toEqual(['dlstatus:1:50:x', 'dlstatus:1:100:y']);
  });

  it('are a line each, with a bar before it on a terminal', async () => {
    const said: string[] = [];
    const drawn: string[] = [];
    const steps = new StepReporter(
      (line) => said.push(line),
      (text) => drawn.push(text),
    );
    await steps.run('download', async (progress) => progress(50, 'x'));
    expect(said.join()).toMatch(/^download: \d+\.\d s$/);
    expect(drawn).toEqual(['download ...', 'download [############------------]  50 %', '']);
    expect(barText(140)).toContain('100 %');
  });
});
