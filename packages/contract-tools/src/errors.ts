import { AppError, defineErrors } from "@credlink/primitives";

/** What the tools for contract developers refuse. */
export const contractToolsErrors = defineErrors({
  TOOLS_PROJECT_UNREADABLE: {
    meaning: "The folder is no contract project: contract.json is missing or cannot be read.",
    remedy: "Name the folder that `credlink contract new` made, or make one.",
  },
  TOOLS_PROJECT_MALFORMED: {
    meaning: "contract.json is not of the form that contract.schema.json gives.",
    remedy: "Correct the field that the message names; an editor checks the file by its schema.",
  },
  TOOLS_PROJECT_EXISTS: {
    meaning: "The folder for a new contract is there already and not empty.",
    remedy: "Name another folder; existing files are never overwritten.",
  },
  TOOLS_NAME_INVALID: {
    meaning: "A contract's name or version has a wrong form, or is a built-in contract's.",
    remedy: "Use a name such as work-orders and a version such as 1.0.0.",
  },
  TOOLS_COMPILE_FAILED: {
    meaning: "The contract's source does not compile.",
    remedy: "Correct the places that the message names by file and line.",
  },
  TOOLS_VERSION_MISSING: {
    meaning: "The source does not say the contract's name and version.",
    remedy: 'Put `const CONTRACT_VERSION: string = "name@1.0.0";` at the entry file\'s top level.',
  },
  TOOLS_VERSION_MISMATCH: {
    meaning: "Source and manifest name different versions.",
    remedy: "Make CONTRACT_VERSION and contract.json say the same name and version.",
  },
  TOOLS_MODULE_REFUSED: {
    meaning: "The node would refuse the module; the message names its code of docs/errors.md.",
    remedy: "Correct the contract as the remedy of that code says.",
  },
  TOOLS_PACKAGE_MALFORMED: {
    meaning: "The file is no contract package, or was altered.",
    remedy: "Make it again with `credlink contract package`.",
  },
  TOOLS_PACKAGE_TOO_LARGE: {
    meaning: "The package, or a file in it, is larger than 4 MiB, or it holds more than 256 files.",
    remedy: "Leave what is not the contract's source out of its folder.",
  },
  TOOLS_SOURCE_DIFFERS: {
    meaning: "The package's sources do not compile to the module in it.",
    remedy: "Do not approve it: ask its maker for a package whose sources match.",
  },
  TOOLS_FINDINGS_HIGH: {
    meaning: "The scan has findings of high severity, which block packaging and installation.",
    remedy: "Correct them; governance alone may let a named package pass.",
  },
  TOOLS_NESTED_TOO_DEEP: {
    meaning: "The contract nests its expressions, statements or calls deeper than can be followed.",
    remedy: "Split them: a contract that cannot be judged is neither packaged nor approved.",
  },
  TOOLS_RULES_MALFORMED: {
    meaning: "A rule file is not of the form that docs/contracts.md gives.",
    remedy: "Correct the rule that the message names.",
  },
});

export type ContractToolsErrorCode = keyof typeof contractToolsErrors;

/** An operation of the tools that failed. */
export class ContractToolsError extends AppError<{ readonly code: ContractToolsErrorCode }> {
  constructor(
    code: ContractToolsErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super({ code }, message, options);
  }
}

/**
 * Runs what walks a contract's tree. Parser and walks recurse, so how deep a tree may be is the
 * stack's to say: whoever nests deeper is refused with a code, not with the engine's own error.
 *
 * @throws ContractToolsError TOOLS_NESTED_TOO_DEEP, and what `work` throws
 */
export function withinStack<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ContractToolsError("TOOLS_NESTED_TOO_DEEP", `${what}: ${cause.message}`, { cause });
  }
}
