export { V86_VERSION, checkInternals, type V86Constructor } from './v86-internals.js';
export { V86Host, type V86BootProgress, bootV86, restoreV86 } from './v86-host.js';
export { V86_CMDLINE, V86Machine, type V86BootOptions, type V86Parts } from './v86-machine.js';
export { type SavedState, decodeSavedState, encodeSavedState } from './saved-state.js';
