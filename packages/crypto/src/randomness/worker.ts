import { parentPort } from "node:worker_threads";
import { bitsOf } from "./statistic.ts";
import { testSample } from "./tests.ts";

// Judges samples beside the main thread: bytes in, results out, one answer a message.
parentPort?.on("message", (bytes: Uint8Array) => {
  parentPort?.postMessage(testSample(bitsOf(bytes)));
});
