/**
 * The host interface, version 1, as the node offers it: pointers and lengths are unsigned bytes
 * of this module's memory. Contracts use the wrappers of the other files.
 *
 * @see docs/protocol/contracts.md
 */
@external("credlink", "input_size")
export declare function inputSize(): i32;

@external("credlink", "input_read")
export declare function inputRead(pointer: usize): void;

@external("credlink", "buffer_read")
export declare function bufferRead(pointer: usize): void;

@external("credlink", "return_value")
export declare function returnValue(pointer: usize, length: usize): void;

@external("credlink", "revert")
export declare function hostRevert(
  codePointer: usize,
  codeLength: usize,
  messagePointer: usize,
  messageLength: usize,
): void;

@external("credlink", "state_get")
export declare function stateGet(keyPointer: usize, keyLength: usize): i32;

@external("credlink", "state_put")
export declare function statePut(
  keyPointer: usize,
  keyLength: usize,
  valuePointer: usize,
  valueLength: usize,
): void;

@external("credlink", "state_delete")
export declare function stateDelete(keyPointer: usize, keyLength: usize): void;

@external("credlink", "state_range")
export declare function stateRange(
  fromPointer: usize,
  fromLength: usize,
  toPointer: usize,
  toLength: usize,
  limit: i32,
): i32;

@external("credlink", "event")
export declare function hostEvent(
  topicPointer: usize,
  topicLength: usize,
  dataPointer: usize,
  dataLength: usize,
): void;

@external("credlink", "caller")
export declare function hostCaller(): i32;

@external("credlink", "signers")
export declare function hostSigners(): i32;

@external("credlink", "block_height")
export declare function blockHeight(): i64;

@external("credlink", "block_time")
export declare function blockTimeMs(): i64;

@external("credlink", "sm3")
export declare function hostSm3(pointer: usize, length: usize, outPointer: usize): void;

@external("credlink", "sm2_verify")
export declare function hostSm2Verify(
  publicKeyPointer: usize,
  messagePointer: usize,
  messageLength: usize,
  signaturePointer: usize,
): i32;

@external("credlink", "commitment_sum")
export declare function hostCommitmentSum(pointsPointer: usize, plus: i32, minus: i32): i32;

@external("credlink", "contract_call")
export declare function hostContractCall(
  namePointer: usize,
  nameLength: usize,
  methodPointer: usize,
  methodLength: usize,
  argsPointer: usize,
  argsLength: usize,
  gas: i64,
): i32;

/** What AssemblyScript calls on a failed assertion or bounds check: a trap, VM_ABORT. */
@external("credlink", "abort")
export declare function abort(
  message: string | null,
  file: string | null,
  line: u32,
  column: u32,
): void;
