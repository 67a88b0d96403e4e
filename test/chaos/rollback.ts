import { cpSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { networkPaths } from "@credlink/cli";
import { AppError } from "@credlink/primitives";
import { auditChains } from "./audit.ts";
import type { Violation } from "./chain-record.ts";
import { underLoad } from "./load.ts";
import type { ChaosOptions } from "./options.ts";
import { type Session, withSession } from "./session.ts";
import { StatementRecord } from "./statements.ts";

/** Heights that the image will have forgotten, at least. */
const FORGOTTEN = 10;
/** Heights that must pass, with its votes, once it votes again. */
const AFTERWARDS = 5;
const BOUND_MS = 120_000;

/** What became of a validator whose data folder was put back to an old image. */
export interface RollbackReport {
  readonly validators: number;
  /** Head of the image, and of the chain when the image was put back. */
  readonly imageHeight: number;
  readonly forgottenAt: number;
  /** It said of itself that it abstains. */
  readonly abstained: boolean;
  /** From its start on the old image to the end of its abstention, milliseconds; null if never. */
  readonly recoveredAfterMs: number | null;
  /** Heights above the image where peers remember a vote of it from after its recovery. */
  readonly votedAgain: number;
  readonly violations: readonly Violation[];
}

/** Copies a validator's data, lets it vote on, and starts it again from the copy. */
export function runRollback(
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<RollbackReport> {
  const { validators, dir } = options;
  return withSession({ validators, dir, say }, (session) =>
    underLoad(session, options.rate, () => rollBack(session, options, say)),
  );
}

async function rollBack(
  session: Session,
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<RollbackReport> {
  const { cluster, record, watch } = session;
  const name = cluster.names.at(-1) ?? "";
  const index = cluster.names.length - 1;
  const data = networkPaths(cluster.dir).data(name);
  const image = `${data}-image`;
  await until(() => watch.heightOf(name) > FORGOTTEN);
  await cluster.stop(name);
  cpSync(data, image, { recursive: true });
  const imageHeight = watch.heightOf(name);
  cluster.start(name);
  await cluster.untilReady(name);
  // What it merely synced it never voted for: only votes that others remember can be forgotten.
  const hasVoted = await until(() => hasVotesAbove(session, index, imageHeight));
  await cluster.kill(name);
  const forgottenAt = record.height;
  rmSync(data, { recursive: true });
  cpSync(image, data, { recursive: true });
  say(`${name} starts from an image of height ${imageHeight}; the chain is at ${forgottenAt}`);
  const startMs = performance.now();
  cluster.start(name);
  const abstained = await sees(session, name, true);
  say(`${name} ${abstained ? "abstains" : "does not abstain"}`);
  const recovered = abstained && (await sees(session, name, false));
  const recoveredAfterMs = recovered ? Math.round(performance.now() - startMs) : null;
  const recoveredAt = record.height;
  say(recovered ? `it votes again after ${recoveredAfterMs} ms` : "it does not vote again");
  if (recovered) await until(() => record.height > recoveredAt + 4 * AFTERWARDS);
  const statements = new StatementRecord();
  for (const each of cluster.names) {
    await statements.read(each, watch.client(each), 1, watch.heightOf(each));
  }
  await auditChains(session);
  const votes = [...(statements.heights.get(index) ?? [])].filter((at) => at > recoveredAt + 1);
  const missing = (what: string): Violation => ({ rule: "progress", detail: `${name} ${what}` });
  return {
    validators: options.validators,
    imageHeight,
    forgottenAt,
    abstained,
    recoveredAfterMs,
    votedAgain: votes.length,
    violations: [
      ...record.violations,
      ...statements.violations,
      ...(hasVoted ? [] : [missing("had not voted since its image: nothing was forgotten")]),
      ...(abstained ? [] : [missing("voted on from an old image")]),
      ...(recovered || !abstained ? [] : [missing(`abstained for ${BOUND_MS} ms`)]),
      ...(recovered && votes.length < AFTERWARDS ? [missing("did not vote again")] : []),
    ],
  };
}

/** Whether another node remembers votes of a validator at ten heights above one, at least. */
async function hasVotesAbove(session: Session, index: number, height: number): Promise<boolean> {
  const { cluster, watch } = session;
  const [witness = ""] = cluster.names;
  const statements = new StatementRecord();
  const head = watch.heightOf(witness);
  await statements.read(witness, watch.client(witness), height + 1, head);
  return (statements.heights.get(index)?.size ?? 0) >= FORGOTTEN;
}

/** Waits until a node says that it abstains, or that it does not. */
async function sees(session: Session, name: string, abstaining: boolean): Promise<boolean> {
  return until(async () => {
    try {
      const status = await session.watch.client(name).status();
      return status.abstaining === abstaining;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return false;
    }
  });
}

async function until(isDone: () => boolean | Promise<boolean>): Promise<boolean> {
  const endMs = performance.now() + BOUND_MS;
  while (performance.now() < endMs) {
    if (await isDone()) return true;
    await delay(20);
  }
  return false;
}
