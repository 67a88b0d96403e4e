import { type ApiErrorCode, apiErrors } from "@credlink/api";
import { AppError, type ErrorTable } from "@credlink/primitives";

/** A call that is refused, with any documented code. */
export class CallError extends AppError<{
  readonly code: string;
  readonly retryAfterMs?: number;
}> {
  constructor(code: string, message: string, retryAfterMs?: number) {
    super(retryAfterMs === undefined ? { code } : { code, retryAfterMs }, message);
  }
}

/** A refusal with one of the gateway's own codes. */
export function refuseCall(code: ApiErrorCode, detail?: string, retryAfterMs?: number): CallError {
  return new CallError(code, detail ?? apiErrors[code].meaning, retryAfterMs);
}

/** The answer to every call of a node that has isolated itself. */
export function pollutedError(): CallError {
  return new CallError("NODE_DATA_POLLUTED", "this node found its own data altered");
}

/** What cures a code, looked up in the tables of all packages whose codes a call may give. */
export function createRemedies(tables: readonly ErrorTable[]): (code: string) => string {
  const entries: ErrorTable = Object.assign({}, apiErrors, ...tables);
  return (code) =>
    Object.hasOwn(entries, code)
      ? (entries[code]?.remedy ?? "")
      : "The contract that gave this code documents it.";
}
