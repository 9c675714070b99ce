export { AttachedQemu } from './attached-qemu.js';
export { FileRam } from './file-ram.js';
export { GuestConsole } from './guest-console.js';
export { qemuArguments, type QemuPaths, type QemuSpec, type RamBank } from './qemu-arguments.js';
export { QemuProcess } from './qemu-process.js';
export { type SocketAddress, WorkerSocket } from './worker-socket.js';
