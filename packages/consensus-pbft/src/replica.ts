import { assertNever, invariant } from "@credlink/primitives";
import { decideRule, onCertificate, onCommitted, onValidated, validateRule } from "./deciding.ts";
import type {
  Effect,
  Input,
  Replica,
  ReplicaOptions,
  ReplicaStart,
  ReplicaStatus,
  TimerKey,
  Timing,
} from "./effects.ts";
import { releaseVotes, takeFiring } from "./emit.ts";
import { ConsensusError } from "./errors.ts";
import { holdingsOf } from "./holdings.ts";
import { handleReplays, onMessage } from "./intake.ts";
import { commitRule, findPrepared, prepareRule } from "./normal-case.ts";
import {
  onProposalBuilt,
  onProposalFetched,
  overlapRule,
  proposeRule,
  reproposeRule,
} from "./proposing.ts";
import { onKeyShared, onOwnVote, onRecovered, replayRecords, resume } from "./recovery.ts";
import { onRetransmitTimer } from "./retransmission.ts";
import { newReplicaState, primaryAt, type ReplicaState, type Step } from "./state.ts";
import { activityRule, enterViewRule, onViewTimer, onWishTimer, wishRule } from "./synchroniser.ts";

/** Local defaults of a replica; see `ReplicaOptions` for units. */
export const defaultReplicaOptions = Object.freeze({
  baseTimeoutMs: 2000,
  minTimeoutMs: 500,
  maxBaseTimeoutMs: 5000,
  maxTimeoutMs: 60_000,
  maxBlockTransactions: 2000,
  maxBlockBytes: 4 * 1024 * 1024,
  allowNonByzantine: false,
  overlap: true,
}) satisfies Omit<ReplicaOptions, "chainId" | "genesisDigest" | "publicKey">;

/** Timing for tests and examples; a chain's own stands in its parameters. */
export const defaultTiming: Timing = Object.freeze({
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  messageDelayMs: 500,
});

/**
 * The protocol, each rule in its own file: given what is known, does it call for action? A rule
 * returns true when it changed what another rule may depend on. Their order is that of urgency:
 * a decision ends everything else of its height.
 */
const rules: readonly ((step: Step) => boolean)[] = [
  handleReplays,
  decideRule,
  enterViewRule,
  wishRule,
  validateRule,
  prepareRule,
  commitRule,
  reproposeRule,
  proposeRule,
  overlapRule,
  activityRule,
];

/** More rounds than any state can need: a rule that never comes to rest is a bug. */
const MAX_ROUNDS = 1000;

function applyRules(step: Step): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const rule of rules) {
      if (step.state.halted) return;
      if (rule(step)) {
        changed = true;
        break;
      }
    }
    if (!changed) return;
  }
  invariant(false, "the rules do not come to rest");
}

/**
 * Creates a replica. It does nothing until `start` is called, once.
 *
 * @throws ConsensusError CONSENSUS_NOT_BYZANTINE_TOLERANT for two or three validators without
 *   `allowNonByzantine`.
 */
export function createReplica(options: ReplicaOptions, start: ReplicaStart): Replica {
  const count = start.validators.validators.length;
  if ((count === 2 || count === 3) && !options.allowNonByzantine) {
    throw new ConsensusError(
      { code: "CONSENSUS_NOT_BYZANTINE_TOLERANT" },
      `${count} validators tolerate no fault`,
    );
  }
  const replay = replayRecords(start.records, start.head.height);
  const state = newReplicaState(options, start, replay);
  let isStarted = false;
  /** Status between two steps: it is asked for more often than it changes. */
  let known: ReplicaStatus | null = null;
  return {
    start(nowMs) {
      invariant(!isStarted, "a replica starts once");
      isStarted = true;
      known = null;
      const step: Step = { state, nowMs, effects: [] };
      state.current = { ...state.current, startedMs: nowMs };
      resume(step);
      applyRules(step);
      return step.effects;
    },
    step(input, nowMs) {
      invariant(isStarted, "start comes before the first step");
      known = null;
      if (state.halted) return [];
      const step: Step = { state, nowMs, effects: [] };
      handleInput(step, input);
      applyRules(step);
      return step.effects satisfies readonly Effect[];
    },
    get status() {
      known ??= statusOf(state);
      return known;
    },
    get holdings() {
      return holdingsOf(state);
    },
  };
}

function handleInput(step: Step, input: Input): void {
  switch (input.type) {
    case "message":
      onMessage(step, input.message, step.nowMs);
      return;
    case "own-vote":
      onOwnVote(step, input.message);
      return;
    case "key-shared":
      onKeyShared(step);
      return;
    case "recovered":
      onRecovered(step, input.height);
      return;
    case "timer":
      onTimer(step, input.timer);
      return;
    case "persisted":
      releaseVotes(step, input.lsn);
      return;
    case "validated":
      onValidated(step, input);
      return;
    case "proposal-built":
      onProposalBuilt(step, input);
      return;
    case "proposal-fetched":
      onProposalFetched(step, input.proposal);
      return;
    case "work":
      onWork(step, input.pending);
      return;
    case "committed":
      onCommitted(step, input);
      return;
    case "certificate":
      onCertificate(step, input.certificate, input.proposal);
      return;
    default:
      assertNever(input);
      return;
  }
}

function onWork({ state }: Step, pending: boolean): void {
  state.workPending = pending;
  for (const [key, answer] of [...state.builds]) {
    if (answer === "nothing") state.builds.delete(key);
  }
}

/** A firing counts only if that timer is set now; all others outlived their height or view. */
function onTimer(step: Step, timer: TimerKey): void {
  const { state } = step;
  if (!takeFiring(state, timer)) return;
  const { current, next } = state;
  if (timer.kind === "propose") {
    if (timer.height > current.height) next.waited = true;
    return;
  }
  if (timer.height !== current.height || timer.view !== current.view) return;
  switch (timer.kind) {
    case "view":
      onViewTimer(step);
      return;
    case "wish-retransmit":
      onWishTimer(step);
      return;
    case "vote-retransmit":
      onRetransmitTimer(step);
      return;
    case "start":
      return;
    default:
      assertNever(timer.kind);
      return;
  }
}

function statusOf(state: ReplicaState): ReplicaStatus {
  const { current, abstaining, halted } = state;
  const { height, view, self } = current;
  const primary = primaryAt(state, view);
  return { height, view, phase: phaseOf(state), primary, self, abstaining, halted };
}

function phaseOf({ current }: ReplicaState): ReplicaStatus["phase"] {
  if (current.certificate !== null) return "committed";
  if (current.promises.committed.has(current.view)) return "prepared";
  if (findPrepared(current) !== null) return "prepared";
  return current.accepted.has(current.view) ? "preprepared" : "idle";
}
