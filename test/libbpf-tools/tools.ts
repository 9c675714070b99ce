import { interruptTools } from './tools/interrupts.js';
import { processTools } from './tools/processes.js';
import { blockTools } from './tools/block.js';
import { fileTools } from './tools/files.js';
import { lockTools } from './tools/locks.js';
import { memoryTools } from './tools/memory.js';
import { mountTools } from './tools/mounts.js';
import { netTools } from './tools/net.js';
import { schedTools } from './tools/sched.js';
import { userTools } from './tools/users.js';
import { tcpTools } from './tools/tcp.js';
import { systemTools } from './tools/system.js';
import type { Tool } from './tool.js';

/** The tools that are compared with the journal. */
export const tools: readonly Tool[] = [
  ...blockTools,
  ...fileTools,
  ...lockTools,
  ...memoryTools,
  ...mountTools,
  ...netTools,
  ...schedTools,
  ...processTools,
  ...interruptTools,
  ...tcpTools,
  ...userTools,
  ...systemTools,
];
