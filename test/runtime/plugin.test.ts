import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { CheckError, encodeInsns, runPlugin, type Insn } from '../../src/runtime/index.js';
import * as isa from '../../src/runtime/isa/index.js';

const { BPF_ADD, BPF_B, BPF_DW, BPF_LSH } = isa;
const GET_SMP_PROCESSOR_ID = 8;
const run = (insns: readonly Insn[], memory?: Uint8Array): bigint =>
  runPlugin(encodeInsns([...insns, isa.exit()]), memory === undefined ? {} : { memory });

describe('the plugin protocol', () => {
  it('hands over memory and its length, and takes all 64 bits of r0', () => {
    expect(run([isa.mov64Reg(0, 2)], new Uint8Array(5))).toBe(5n);
    expect(run([isa.ldx(BPF_B, 0, 1, 2)], Uint8Array.of(1, 2, 3))).toBe(3n);
    expect(run([isa.mov64Imm(0, -1)])).toBe(0xffff_ffff_ffff_ffffn);
  });

  it('works on a copy of the memory', () => {
    const memory = new Uint8Array(8);
    expect(run([isa.st(BPF_DW, 1, 0, 7), isa.ldx(BPF_DW, 0, 1, 0)], memory)).toBe(7n);
    expect(memory).toEqual(new Uint8Array(8));
  });

  it('calls the helper whose number is in a register', () => {
    expect(run([isa.mov64Imm(0, 5), isa.mov64Imm(3, GET_SMP_PROCESSOR_ID), isa.callx(3)])).toBe(0n);
    expect(() => run([isa.mov64Imm(3, 9999), isa.callx(3)])).toThrow(
      /stopped at instruction 1: unknown helper function 9999/,
    );
  });

  it('takes shift immediates modulo the width', () => {
    expect(run([isa.mov64Imm(0, 1), isa.alu64Imm(BPF_LSH, 0, 65)])).toBe(2n);
    expect(run([isa.mov64Imm(0, 1), isa.alu32Imm(BPF_LSH, 0, 33)])).toBe(2n);
  });

  it('refuses unknown codes and reserved fields that are set', () => {
    expect(() => run([isa.insn(0xff)])).toThrow(CheckError);
    expect(() => run([isa.insn(isa.BPF_ALU64 | BPF_ADD, 0, 3, 0, 1)])).toThrow(CheckError);
    expect(() => runPlugin(new Uint8Array(7))).toThrow(/whole number of instructions/);
  });

  it('stops a program that leaves its memory', () => {
    expect(() => run([isa.ldx(BPF_B, 0, 1, 3)], new Uint8Array(3))).toThrow(BpfError);
  });
});
