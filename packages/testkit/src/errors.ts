import { AppError, defineErrors } from "@credlink/primitives";

/** What simulated components fail with. */
export const testkitErrors = defineErrors({
  TESTKIT_NETWORK_TIMEOUT: {
    meaning: "A simulated request got no reply in time.",
    remedy: "Expected under loss and partitions; the caller asks another peer.",
  },
  TESTKIT_NETWORK_PEER_GONE: {
    meaning: "A simulated peer is not attached, or was cut.",
    remedy: "Expected while a peer is down; the caller asks another peer.",
  },
  TESTKIT_NETWORK_REFUSED: {
    meaning: "The simulated peer has no responder for the protocol, or it rejected.",
    remedy: "The caller asks another peer.",
  },
  TESTKIT_NETWORK_TOO_LARGE: {
    meaning: "A simulated request or reply is over the protocol's cap.",
    remedy: "Ask for less.",
  },
});

export type TestkitErrorCode = keyof typeof testkitErrors;

/** A failure that a simulation injected. */
export class TestkitError extends AppError<{ readonly code: TestkitErrorCode }> {
  constructor(code: TestkitErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}

/** An error as the platform's file system would give it: `code` is `ENOENT`, `EIO`, … */
export class DiskFault extends Error {
  override readonly name = "DiskFault";
  readonly code: string;

  constructor(code: string, operation: string) {
    super(`${code}: ${operation}`);
    this.code = code;
  }
}
