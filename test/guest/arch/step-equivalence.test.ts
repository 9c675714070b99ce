import { afterAll, beforeAll, expect, it } from 'vitest';
import { loongarch64, riscv64, type Arch } from '../../../src/arch/index.js';
import { QemuProcess } from '../../../src/host/qemu/node/index.js';
import { Random } from '../../host/sim/random.js';
import { describeWith } from '../../oracle/describe-with.js';
import { bareKernel, type BareArch, type BareKernel } from '../kernel/bare-kernel.js';
import { loongArchForms } from './loongarch64-forms.js';
import { riscvForms } from './riscv64-forms.js';
import { randomStep, type StepForms } from './step-forms.js';
import { SteppedMachine, type StepCase, type StepLayout } from './stepped-machine.js';

/** Cases of all forms together. */
const CASES = Number(process.env['KSCOPE_CASES'] ?? 2000);

interface Subject {
  readonly arch: Arch & { readonly name: BareArch };
  readonly forms: StepForms;
  readonly layout: StepLayout;
  readonly extra: readonly string[];
}

const subjects: readonly Subject[] = [
  {
    arch: riscv64 as Arch & { name: BareArch },
    forms: riscvForms,
    layout: {
      code: 0x8100_0800n,
      slot: 0x8200_0120n,
      window: 0x8300_0f80n,
      vector: 0x8400_0000n,
      vectorRegister: 'mtvec',
    },
    extra: ['-bios', 'none'],
  },
  {
    arch: loongarch64 as Arch & { name: BareArch },
    forms: loongArchForms,
    layout: { code: 0x0100_0800n, slot: 0x0200_0120n, window: 0x0300_0f80n, vector: 0n, vectorRegister: null },
    extra: [],
  },
];

function describeCase({ form, code, regs }: StepCase): string {
  const shown = regs.map((value, n) => `r${n}=${value.toString(16)}`).join(' ');
  return `${form} [${Buffer.from(code).toString('hex')}] ${shown}`;
}

for (const { arch, forms, layout, extra } of subjects) {
  describeWith(
    `a displaced instruction of ${arch.name} leaves the state of one in its place`,
    bareKernel(arch.name),
    (kernel: BareKernel) => {
      let qemu: QemuProcess;
      let machine: SteppedMachine;
      beforeAll(() => {
        // It never boots: the kernel only gives QEMU something to load.
        qemu = new QemuProcess({ arch: arch.name, kernel: kernel.path, append: null, room: false, extra });
        machine = new SteppedMachine(arch, qemu, layout);
      });
      afterAll(() => qemu.close());

      it.each(forms.forms.map((form, i) => ({ name: form.name, form, seed: 104_729 * (i + 1) })))(
        '$name',
        ({ form, seed }) => {
          const random = new Random(seed);
          let completed = 0;
          for (let i = 0; i < Math.ceil(CASES / forms.forms.length); i++) {
            const each = randomStep(forms, form, random, layout.window);
            const expected = machine.inPlace(each);
            expect(machine.displaced(each), `seed ${seed}: ${describeCase(each)}`).toEqual(expected);
            if (expected !== 'fault') completed++;
          }
          expect(completed).toBeGreaterThan(0);
        },
      );
    },
  );
}
