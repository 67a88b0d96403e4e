import type { Answer, Streams } from "../output.ts";

/** What every command is given. */
export interface CommandContext {
  readonly streams: Streams;
  /** Ends when the user or the system asks the process to stop. */
  readonly stopSignal: Promise<void>;
  /** Runs a command's action: writes its answer or its failure and keeps the exit code. */
  run(json: boolean, action: () => Promise<Answer | undefined>): Promise<void>;
}
