import { parentPort, workerData } from "node:worker_threads";
import { createTargets, judgeCase, makeCase } from "./campaign.ts";

/** What the parent asks of a worker: executions `from` … `to − 1` of a seed, until a moment. */
export interface WorkerTask {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970; Infinity: no end but `to`. */
  readonly untilMs: number;
  /** The index under way, for the parent to see. */
  readonly progress: SharedArrayBuffer;
}

const task = workerData as WorkerTask;
const progress = new Float64Array(task.progress);
const targets = await createTargets();
const results = new Map<string, number>();
let index = task.from;
for (; index < task.to && Date.now() < task.untilMs; index++) {
  progress[0] = index;
  const input = await makeCase(targets, task.seed, index);
  const { result, finding } = await judgeCase(targets, input);
  const name = `${input.target} ${result}`;
  results.set(name, (results.get(name) ?? 0) + 1);
  if (finding !== undefined) parentPort?.postMessage({ type: "finding", ...input, index, finding });
}
parentPort?.postMessage({ type: "done", next: index, results: [...results] });
