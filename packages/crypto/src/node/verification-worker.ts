import { parentPort } from "node:worker_threads";
import { sm2Verify } from "./door.ts";
import { verifyBatch } from "./verification-batch.ts";

// One thread of the verification pool: a batch comes as shared memory, the answer is written
// into it, and the empty message says that it is there.
parentPort?.on("message", (memory: SharedArrayBuffer) => {
  verifyBatch(memory, sm2Verify);
  parentPort?.postMessage(null);
});
