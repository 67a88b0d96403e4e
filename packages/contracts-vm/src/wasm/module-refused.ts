import type { moduleErrors } from "../errors.ts";

/** Why a module is not accepted. */
export type ModuleErrorCode = keyof typeof moduleErrors;

/** Leaves the parser at the first thing that is not allowed; `validateModule` makes it a value. */
export class ModuleRefused extends Error {
  override readonly name = "ModuleRefused";
  readonly code: ModuleErrorCode;

  constructor(code: ModuleErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}
