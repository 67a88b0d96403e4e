import { AppError, defineErrors } from "@credlink/primitives";

/** Why a node's certificate is not renewed, or not yet. */
export const renewalErrors = defineErrors({
  NODE_RENEWAL_IMPOSSIBLE: {
    meaning: "The configuration asks for automatic renewal and lacks what it needs.",
    remedy: "The message names it; leave `renewal.url` out to renew by hand.",
  },
  NODE_RENEWAL_WAITS: {
    meaning: "A renewal waits for its second approval; the node goes on meanwhile.",
    remedy:
      "Have the CA's operator run `credlink ca code issue`, and put the code into `renewal.codeFile`.",
  },
  NODE_RENEWAL_CODE_OPEN: {
    meaning: "The file of the one-time code is a link, another user's, or readable by others.",
    remedy: "Write it anew as the node's user, mode 0600; if others saw it ask for another code.",
  },
  NODE_RENEWAL_CODE_REFUSED: {
    meaning: "The CA service refused the one-time code; the file was renamed to `….refused`.",
    remedy: "Ask the CA's operator for a new code: five wrong ones end it.",
  },
  NODE_RENEWAL_FAILED: {
    meaning: "A step of a renewal failed; it is tried again after a pause.",
    remedy: "The logged reason is the code of the CA service, of its client or of the disk.",
  },
  NODE_RENEWAL_ANSWER_REFUSED: {
    meaning: "The CA service answered a certificate that the node's peers would refuse.",
    remedy: "Check `renewal.url`, and with the CA's operator what was issued.",
  },
  NODE_RENEWAL_NOT_ANNOUNCED: {
    meaning: "The chain did not take the new certificate; it is announced again.",
    remedy: "The logged reason is the status of the transaction, or why none was taken.",
  },
});

/** A renewal that did not go on. */
export class RenewalError extends AppError<{
  readonly code: keyof typeof renewalErrors;
  /** Code of what is behind it. */
  readonly reason: string;
}> {
  constructor(
    code: keyof typeof renewalErrors,
    reason: string,
    options?: { readonly cause?: unknown },
  ) {
    super({ code, reason }, reason, options);
  }
}
