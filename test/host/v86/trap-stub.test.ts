import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/index.js';
import { jump, TRAP_PORT, trapStub } from '../../../src/host/v86/trap-stub.js';

describe('the stub of exc_int3', () => {
  it.each([
    [0xc00d_0040, 0xc190_b580, 'e93bb58301'],
    [0xc190_b580, 0xc00d_0040, 'e9bb4a7cfe'],
    [0x1000, 0x1005, 'e900000000'],
    [0xffff_fff0, 0x10, 'e91b000000'],
  ])('jumps from 0x%x to 0x%x', (from, to, hex) => {
    expect(toHex(jump(from, to))).toBe(hex);
  });

  it('writes to its port, returns if ecx says handled, and otherwise goes on behind the prologue', () => {
    const prologue = Uint8Array.of(0x55, 0x89, 0xe5, 0x56, 0x53);
    const stub = trapStub(0xc00d_0040, 0xc190_b580, prologue);
    // mov $0x4b50,%dx; out %al,(%dx); test %ecx,%ecx; jne +1; ret
    expect(toHex(stub.subarray(0, 10))).toBe('66ba504bee85c97501c3');
    expect(TRAP_PORT).toBe(0x4b50);
    expect(stub.subarray(10, 15)).toEqual(prologue);
    expect(stub.subarray(15)).toEqual(jump(0xc00d_0040 + 15, 0xc190_b580 + 5));
  });
});
