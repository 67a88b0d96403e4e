import { AppError, defineErrors } from "@credlink/primitives";

/** Status codes that execution itself puts into receipts, and failures of the executor. */
export const contractsVmErrors = defineErrors({
  VM_OUT_OF_GAS: {
    meaning: "The call needed more gas than its limit; the whole limit was used up.",
    remedy: "Send the transaction again with a higher gas limit, or do less in one call.",
  },
  VM_STACK_OVERFLOW: {
    meaning: "The calls of the contract nest too deeply or hold too many values.",
    remedy: "Turn deep recursion in the contract into a loop.",
  },
  VM_TRAP_UNREACHABLE: {
    meaning: "The contract ran into an unreachable instruction: one of its own checks failed.",
    remedy: "Compare the arguments with the contract's documentation; else correct the contract.",
  },
  VM_TRAP_MEMORY: {
    meaning:
      "The contract reached outside its memory or table, or called an absent or foreign function.",
    remedy: "Correct the contract.",
  },
  VM_TRAP_DIVIDE: {
    meaning: "The contract divided by zero, or a quotient does not fit.",
    remedy: "Correct the contract, or the arguments that led there.",
  },
  VM_ABORT: {
    meaning: "The contract called abort: a check of its language's run time failed.",
    remedy: "Compare the arguments with the contract's documentation; else correct the contract.",
  },
  VM_HOST_POINTER: {
    meaning: "The contract gave the host a pointer or length outside its memory.",
    remedy: "Correct the contract.",
  },
  VM_HOST_ARGUMENT: {
    meaning: "The contract gave a host function a value outside what docs/protocol allows.",
    remedy: "Correct the contract: sizes of keys, values, topics, ranges and codes have limits.",
  },
  VM_READ_ONLY: {
    meaning: "A read-only method tried to change state or to emit an event.",
    remedy: "Declare the method as changing state, or correct it.",
  },
  VM_STATE_QUOTA: {
    meaning: "The contract would hold more keys or bytes than its quota permits.",
    remedy:
      "Delete what the contract needs no longer, or let a majority raise its quota: `contracts.setQuota`.",
  },
  VM_RETURN_TOO_LARGE: {
    meaning: "The return value is larger than 16 KiB.",
    remedy: "Return less, page by page.",
  },
  VM_EVENT_LIMIT: {
    meaning: "The transaction emitted more than 64 events, or one of more than 4 KiB.",
    remedy: "Emit fewer or smaller events.",
  },
  VM_ACCESS_DENIED: {
    meaning: "The caller's role may not call this method.",
    remedy: "Let a member of a role that the contract's manifest names send the transaction.",
  },
  VM_SENDER_UNKNOWN: {
    meaning: "A signer is not a member of the registry at the judged height.",
    remedy: "Enrol the member first; its transactions count from the next block on.",
  },
  VM_CONTRACT_UNKNOWN: {
    meaning: "No contract of this name is installed.",
    remedy: "Check the name; install and start the contract first.",
  },
  VM_CONTRACT_STOPPED: {
    meaning: "The contract, or this version of it, is not started.",
    remedy:
      "Call the version that is started, or have the contract started; a superseded version can only be queried.",
  },
  VM_CONTRACT_FROZEN: {
    meaning: "A regulator froze the contract: nobody may call or query it.",
    remedy: "Ask the regulator that froze it.",
  },
  VM_VERSION_UNKNOWN: {
    meaning: "This version of the contract is not installed.",
    remedy: "Call a version that the contract registry lists.",
  },
  VM_METHOD_UNKNOWN: {
    meaning: "The contract has no such method, or a query named one that changes state.",
    remedy: "Call a method of the contract's manifest; query only read-only ones.",
  },
  VM_ARGUMENTS_MALFORMED: {
    meaning: "The arguments of a built-in method are not the canonical bytes of their format.",
    remedy: "Encode them as docs/protocol/contracts.md says.",
  },
  VM_CALL_FORBIDDEN: {
    meaning: "A contract called one that its manifest does not name under calls.",
    remedy: "Name the contract in the manifest and install a new version.",
  },
  VM_CALL_REENTERED: {
    meaning: "A contract was called that is already running in this transaction.",
    remedy: "Do not call back into a calling contract.",
  },
  VM_CALL_TOO_DEEP: {
    meaning: "Contracts call each other more than 8 deep.",
    remedy: "Flatten the chain of calls.",
  },
  VM_GENESIS_INVALID: {
    meaning: "Genesis does not describe a state that the chain may start from.",
    remedy: "Make genesis again with `credlink network create`; the message names the part.",
  },
  VM_HOST_FAILURE: {
    meaning:
      "The node's own machine failed inside a contract: no memory, no stack, or an engine fault.",
    remedy: "Give the node more memory and restart it; nothing of the block was kept.",
  },
  VM_STATE_CORRUPT: {
    meaning: "The stored state of a built-in contract or a contract's code cannot be read.",
    remedy: "Run `credlink chain verify` on the node's data and restore it from its peers.",
  },
});

/** Why a module is refused at installation. */
export const moduleErrors = defineErrors({
  VM_MODULE_MALFORMED: {
    meaning: "The code is not a valid WebAssembly module.",
    remedy: "Compile the contract again; do not change its bytes afterwards.",
  },
  VM_MODULE_TOO_LARGE: {
    meaning: "The module, or a count in it, is above a limit of docs/protocol/contracts.md.",
    remedy: "Make the contract smaller, or split it.",
  },
  VM_MODULE_FUNCTION_TOO_LARGE: {
    meaning: "One function has too many bytes, locals, values or nested blocks.",
    remedy: "Split the function.",
  },
  VM_MODULE_FLOAT: {
    meaning: "The module uses floating-point numbers, which execution excludes.",
    remedy: "Use integers or decimal text.",
  },
  VM_MODULE_SIMD: {
    meaning: "The module uses vector instructions.",
    remedy: "Compile without SIMD.",
  },
  VM_MODULE_THREADS: {
    meaning: "The module uses shared memory or atomic instructions.",
    remedy: "Compile without threads.",
  },
  VM_MODULE_TAIL_CALL: {
    meaning: "The module uses tail calls.",
    remedy: "Compile without tail calls.",
  },
  VM_MODULE_EXCEPTIONS: {
    meaning: "The module uses WebAssembly exceptions.",
    remedy: "Compile without exceptions; end a call with revert.",
  },
  VM_MODULE_GC: {
    meaning: "The module uses managed types or typed function references.",
    remedy: "Compile without garbage-collected types.",
  },
  VM_MODULE_REFERENCE_TYPES: {
    meaning: "The module uses references beyond one table of functions.",
    remedy: "Compile without reference types.",
  },
  VM_MODULE_MULTI_VALUE: {
    meaning: "A function or block has several results, or a block has parameters.",
    remedy: "Compile without multi-value.",
  },
  VM_MODULE_MULTI_MEMORY: {
    meaning: "The module has more than one memory.",
    remedy: "Use one memory.",
  },
  VM_MODULE_MEMORY64: {
    meaning: "The module uses 64-bit addresses.",
    remedy: "Compile for 32-bit memory.",
  },
  VM_MODULE_OPCODE: {
    meaning: "The module uses an instruction outside the allowed set.",
    remedy: "Compile for WebAssembly 1.0 with sign extension and bulk memory only.",
  },
  VM_MODULE_CONSTANT: {
    meaning: "An initial value or segment offset is not one integer constant.",
    remedy: "Compile without extended constant expressions.",
  },
  VM_MODULE_START: {
    meaning: "The module has a start section.",
    remedy: "Let every method set up what it needs.",
  },
  VM_MODULE_IMPORT: {
    meaning: "The module imports something that the host does not offer.",
    remedy: "Import only the functions of docs/protocol/contracts.md, from module credlink.",
  },
  VM_MODULE_IMPORT_TYPE: {
    meaning: "An imported host function is declared with a wrong type.",
    remedy: "Declare it as docs/protocol/contracts.md says.",
  },
  VM_MODULE_MEMORY: {
    meaning:
      "The memory is missing, not exported as memory, without maximum, or larger than allowed.",
    remedy: "Export one memory whose maximum is at most the manifest's and 256 pages.",
  },
  VM_MODULE_SEGMENT: {
    meaning: "A data or element segment lies outside the initial memory or table.",
    remedy: "Raise the initial size, or move the segment.",
  },
  VM_MODULE_METHOD: {
    meaning: "A method of the manifest is not an exported function without parameters and result.",
    remedy: "Export every method of the manifest as () -> ().",
  },
  VM_MODULE_VERSION: {
    meaning: "The section credlink.version is missing or names another name or version.",
    remedy: "Build the contract with the name and version that it is deployed under.",
  },
  VM_MODULE_MANIFEST: {
    meaning: "The manifest is not well formed, or names another contract, version or ABI.",
    remedy: "Make the manifest again; docs/protocol/contracts.md has its format.",
  },
});

/** Codes of execution; module codes appear as detail and as statuses of `contracts.install`. */
export type VmErrorCode = keyof typeof contractsVmErrors;

/** The executor itself could not go on: the node must stop, nothing becomes a receipt. */
export class VmError extends AppError<{ readonly code: VmErrorCode }> {
  constructor(code: VmErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
