import { AppError, defineErrors } from "@credlink/primitives";

/** What the node's database and folders may fail with. */
export const storageErrors = defineErrors({
  NODE_STORAGE_LOCKED: {
    meaning: "The database is open already: in another process, or a second time in this one.",
    remedy: "Stop the other node, or give this one a data folder of its own.",
  },
  NODE_VOTE_LOG_LOCKED: {
    meaning: "Another process uses the vote log's folder: two nodes must never vote from one log.",
    remedy: "Stop the other node; the lock ends with its process. Never run one key twice.",
  },
  NODE_STORAGE_MISSING: {
    meaning: "There is no database in the data folder.",
    remedy: "Check the path; `credlink network create` or the first start makes the database.",
  },
  NODE_STORAGE_CORRUPT: {
    meaning: "The database's own files are damaged.",
    remedy: "Restore the data folder from a backup, or sync into an empty one; check the disk.",
  },
  NODE_STORAGE_FAILED: {
    meaning: "The database could not be opened, read or written.",
    remedy: "Check free space, permissions and the health of the disk, then restart the node.",
  },
});

export type StorageErrorCode = keyof typeof storageErrors;

/** The database failed; what a failed batch left is known only after opening it again. */
export class StorageError extends AppError<{ readonly code: StorageErrorCode }> {}
