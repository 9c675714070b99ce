export { RspClient, type RspClientOptions } from './rsp/rsp-client.js';
export { encodeRspPacket, RspDecoder, type RspItem, RSP_PACKET_MAX } from './rsp/rsp-packet.js';
export { parseRspRegisters, type RspRegister } from './rsp/rsp-registers.js';
export { isRspStop, parseRspStop, type RspStop } from './rsp/rsp-stop-reply.js';
export type * from './rsp/rsp-transport.js';
export type * from './qemu-machine.js';
