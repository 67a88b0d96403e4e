import { valueType } from "./opcodes.ts";

/** Module name of all imports. */
export const HOST_MODULE = "credlink";

const I32 = valueType.i32;
const I64 = valueType.i64;

/** A function type of the host interface. */
export interface HostType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

function type(parameters: number, ...results: readonly number[]): HostType {
  return { parameters: new Array<number>(parameters).fill(I32), results };
}

/** The host interface, version 1: what a module may import, and as what. */
export const hostTypes = {
  input_size: type(0, I32),
  input_read: type(1),
  buffer_read: type(1),
  return_value: type(2),
  revert: type(4),
  state_get: type(2, I32),
  state_put: type(4),
  state_delete: type(2),
  state_range: type(5, I32),
  event: type(4),
  caller: type(0, I32),
  signers: type(0, I32),
  block_height: type(0, I64),
  block_time: type(0, I64),
  sm3: type(3),
  sm2_verify: type(4, I32),
  contract_call: { parameters: [I32, I32, I32, I32, I32, I32, I64], results: [I32] },
  commitment_sum: type(3, I32),
  abort: type(4),
} as const satisfies Record<string, HostType>;

export type HostImport = keyof typeof hostTypes;

/** Whether the host offers a function of this name. */
export function isHostImport(name: string): name is HostImport {
  return Object.hasOwn(hostTypes, name);
}
