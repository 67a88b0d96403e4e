import { AppError, defineErrors } from "@credlink/primitives";
import { configErrors } from "./config/errors.ts";
import { controlErrors } from "./control/errors.ts";
import { doctorErrors } from "./doctor/errors.ts";
import { admissionErrors, networkErrors } from "./p2p/errors.ts";
import { renewalErrors } from "./renewal/errors.ts";

/** Why a node does not start, or stops. */
export const lifecycleErrors = defineErrors({
  NODE_START_GENESIS_INVALID: {
    meaning: "The genesis file is not a canonical genesis, or its certificates cannot be read.",
    remedy: "Copy the file from another node of the chain, byte for byte.",
  },
  NODE_START_CERTIFICATE_REFUSED: {
    meaning:
      "The node's own certificate would be refused by its peers; the node starts all the same.",
    remedy:
      "The logged reason names the rule; renew the certificate with the organisation's authority.",
  },
  NODE_CERTIFICATE_ENDS_SOON: {
    meaning: "The node's own certificate nears its end, at which its peers cut the node.",
    remedy: "Renew it on a fresh key in time: docs/certificate-authority.md.",
  },
  NODE_START_KEY_MISMATCH: {
    meaning: "The key file does not hold the key of the node's certificate.",
    remedy: "Name the key that belongs to the certificate.",
  },
  NODE_START_KEY_PLAINTEXT: {
    meaning: "The key file is not encrypted, or no password file is named.",
    remedy: "Encrypt the key; plaintext is for development only (`dev: true`).",
  },
  NODE_START_TRANSPORT_REFUSED: {
    meaning: "The chain's genesis names a transport that `algorithms.transport` does not permit.",
    remedy:
      "Permit it, or join a chain whose network was created with `--transport gm`; it cannot be changed later.",
  },
  NODE_START_DEV_REFUSED: {
    meaning: "`dev` is set, but the chain's genesis says production.",
    remedy: "Remove `dev` from the configuration.",
  },
  NODE_START_PORT_TAKEN: {
    meaning: "The gateway or metrics port is in use, or not an address of this machine.",
    remedy: "Choose another `rpc.port` or `metrics.port`, or 0 for a free one.",
  },
  NODE_DATA_POLLUTED: {
    meaning: "The node found its own data altered: it votes, serves and answers no more.",
    remedy: "Stop it, run `credlink node repair --dir DIR`, and start it again.",
  },
  NODE_FATAL: {
    meaning: "A fault after which the node must not go on: a failed fsync, or results that differ.",
    remedy: "Read the log's last error; check the disk; run `credlink chain verify`.",
  },
  NODE_ROLE_READS_ONLY: {
    meaning: "A regulator's node follows the chain and takes no transactions.",
    remedy: "Send to a validator's or an observer's gateway.",
  },
  NODE_STOP_TIMEOUT: {
    meaning: "The node did not stop in time and was ended; nothing durable is lost.",
    remedy: "Raise `shutdownMs`, or find what hangs in the log.",
  },
});

/** Every code of this package but those of the engine and the database, which have their own. */
export const nodeErrors = defineErrors({
  ...configErrors,
  ...admissionErrors,
  ...networkErrors,
  ...controlErrors,
  ...doctorErrors,
  ...lifecycleErrors,
  ...renewalErrors,
});

/** A node that could not start, or had to stop. */
export class NodeError extends AppError<{ readonly code: keyof typeof lifecycleErrors }> {
  constructor(
    code: keyof typeof lifecycleErrors,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super({ code }, message, options);
  }
}
