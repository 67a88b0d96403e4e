/**
 * What contracts are written with: arguments and answers in the canonical encoding, state maps,
 * events, who called and who signed, digests and calls of other contracts.
 */
export { blockHeight, blockTimeMs } from "./host";
export {
  answer,
  call,
  caller,
  CallResult,
  emit,
  Party,
  Points,
  Signers,
  sm2Verify,
  sm3,
  taggedSm3,
} from "./context";
export {
  allocate,
  ascii,
  demand,
  input,
  isAscii,
  isEqual,
  isEqual32,
  revert,
  Slice,
} from "./memory";
export { Reader } from "./reader";
export { StateMap } from "./state";
export { Writer } from "./writer";
