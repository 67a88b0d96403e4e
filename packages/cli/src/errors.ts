import { AppError, defineErrors } from "@credlink/primitives";

/** What the command line refuses or fails with by itself. */
export const cliErrors = defineErrors({
  CLI_USAGE: {
    meaning: "The command line has an unknown command or option, or lacks one that is needed.",
    remedy: "Read the message and `credlink <command> --help`.",
  },
  CLI_OPTIONS_CONFLICT: {
    meaning: "Options that exclude each other were given, or ones that need each other were not.",
    remedy:
      "See `credlink <command> --help`: say who and where by --network, or by --rpc and --key.",
  },
  CLI_FILE_UNREADABLE: {
    meaning: "A file or folder named on the command line cannot be read or written.",
    remedy: "Check the path and the rights of the user who runs the command.",
  },
  CLI_FILE_MALFORMED: {
    meaning: "A file named on the command line is not of the form that the command wants.",
    remedy: "Compare the file with docs/cli.md.",
  },
  CLI_ROW_MALFORMED: {
    meaning: "A row of a list of people has not its three fields, or a reference out of bounds.",
    remedy: "Correct the row: reference (1 to 128 bytes), kind and value; then enrol it again.",
  },
  CLI_ROW_DIFFERS: {
    meaning: "A person of this reference is enrolled already, with other evidence.",
    remedy: "See whether it is the same person; `member verify` adds evidence to a member.",
  },
  CLI_PROGRESS_OTHER: {
    meaning: "The folder's progress is of another list, enrolment key or chain.",
    remedy: "Name the folder of this list, or a new one: whoever is enrolled is found present.",
  },
  CLI_FILE_EXISTS: {
    meaning: "The file that a command would write is there already: an original is not replaced.",
    remedy: "Name another file; an original that was not sent goes by `credential submit --file`.",
  },
  CLI_NETWORK_EXISTS: {
    meaning: "The folder for a new network is there already and not empty.",
    remedy: "Name another folder; an existing network is never overwritten.",
  },
  CLI_NETWORK_SIZE: {
    meaning: "The number of validators or observers is out of bounds.",
    remedy: "Use 1 (development only) or 4 to 100 validators and at most 100 observers.",
  },
  CLI_NETWORK_UNKNOWN: {
    meaning: "The folder holds no network, or one of another format version.",
    remedy: "Name the folder given to `credlink network create`.",
  },
  CLI_NETWORK_RUNNING: {
    meaning: "The network is running already.",
    remedy: "Stop it first: `credlink network stop --dir DIR`.",
  },
  CLI_NETWORK_NOT_RUNNING: {
    meaning: "No process supervises this network.",
    remedy: "Start it: `credlink network start --dir DIR`.",
  },
  CLI_NODE_UNKNOWN: {
    meaning: "The network has no node of that name.",
    remedy: "The names stand in the network's network.json and in `credlink network status`.",
  },
  CLI_MEMBER_UNKNOWN: {
    meaning: "The network's folder holds no key of that member.",
    remedy: "Name one as organisation/member, such as org-1/admin, or make it: `member create`.",
  },
  CLI_CONTRACT_NOT_STARTED: {
    meaning: "The contract is installed, but none of its versions is started.",
    remedy: "See `contract versions`; a version is started once organisations have approved it.",
  },
  CLI_NODE_NOT_READY: {
    meaning: "A node ended, or was not ready within the time allowed, after it was started.",
    remedy: "Read the end of its log, which the message names.",
  },
  CLI_PORT_TAKEN: {
    meaning: "A port that the network's configuration fixes is taken by another process.",
    remedy: "End that process, or create the network without --base-port.",
  },
  CLI_STOP_TIMEOUT: {
    meaning: "The network did not stop within the time allowed.",
    remedy: "Look at the nodes' logs; then end the processes named by their ids.",
  },
  CLI_NOT_FOUND: {
    meaning: "There is no such credential, transaction, block or member on the chain.",
    remedy: "Check the id; a node that is behind may not have it yet (`network status`).",
  },
  CLI_CREDENTIAL_MISMATCH: {
    meaning: "The file does not open the credential's commitment: it is not the original.",
    remedy: "Obtain the original from the credential's issuer.",
  },
  CLI_CREDENTIAL_INVALID: {
    meaning: "A credential's payload is not of its type's schema.",
    remedy: "Correct the fields named; the schemas stand in docs/protocol/credentials.md.",
  },
  CLI_DOCUMENT_UNKNOWN: {
    meaning: "A file is neither an evidence package, a disclosure nor a verifiable credential.",
    remedy: "Obtain it again; see docs/cli.md for what `credlink verify` takes.",
  },
  CLI_DRAIN_UNFINISHED: {
    meaning: "The node still drains after the time allowed: transactions it accepted wait.",
    remedy: "Look at `node status`; wait longer with --wait, or end it with `node resume`.",
  },
  CLI_AUDIT_ALTERED: {
    meaning: "A node's audit log is not what the node wrote; each place is named.",
    remedy: "Keep the files, and find out who had access to the node's folder.",
  },
  CLI_CHAIN_DAMAGED: {
    meaning: "The stored chain is not what its validators certified; each place is named.",
    remedy: "Stop the node, move its data folder away and let it sync anew from its peers.",
  },
});

export type CliErrorCode = keyof typeof cliErrors;

/** A command that failed for a reason its user can act on. */
export class CliError extends AppError<{ readonly code: CliErrorCode }> {
  constructor(code: CliErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super({ code }, message, options);
  }

  get remedy(): string {
    return cliErrors[this.details.code].remedy;
  }
}
