export { createSim, SimHost, type SimOops, type SimOptions } from './sim-host.js';
export { type JournalEntry, JournalKind, SimJournal } from './machine/sim-journal.js';
export type { RunLimits, StopReason } from './machine/sim-machine.js';
export type { EncodedSimImage, SimImageTracepoint } from './sim-image.js';
export type { InsnTrace } from './cpu/x86-cpu.js';
export type { SimFile } from './script/own-files.js';
export type {
  ExportStep,
  RepeatStep,
  RunStep,
  SignalStep,
  SimCommand,
  SimSignal,
  SimStep,
  SleepStep,
  UntilStep,
  WaitStep,
} from './script/sim-step.js';
