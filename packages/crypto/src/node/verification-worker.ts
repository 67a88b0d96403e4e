import { parentPort } from "node:worker_threads";
import { verifyBatch } from "./verification-batch.ts";
import { verifier } from "./verifier.ts";

// One thread of the verification pool: a batch comes as shared memory, the answer is written
// into it, and the empty message says that it is there.
parentPort?.on("message", (memory: SharedArrayBuffer) => {
  verifyBatch(memory, verifier.verifyAll);
  parentPort?.postMessage(null);
});
