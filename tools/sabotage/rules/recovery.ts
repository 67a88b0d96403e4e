import type { BrokenRule } from "../rule.ts";
import { CORE, NODE, recovery, restart, restarts, VM } from "./places.ts";

/** Abstention, and the way out of it. */
export const recoveryRules: readonly BrokenRule[] = [
  {
    id: "floor-exact",
    rule: "A height that the log knows decided mutes that height and no other.",
    broken: "the next one too",
    file: `${CORE}/recovery.ts`,
    find: "      if (record.height > voteFloor) voteFloor = record.height;",
    replace: "      if (record.height >= voteFloor) voteFloor = heightAfter(record.height);",
    tests: [
      { file: restarts, name: "known bug 60:" },
      { file: restarts, name: "known bug 54:" },
    ],
  },
  {
    id: "abstainer-silent",
    rule: "Who abstains votes nothing.",
    broken: "it votes on",
    file: `${CORE}/state.ts`,
    find: "  if (state.abstaining || state.halted || height <= state.voteFloor) return null;",
    replace: "  if (state.halted || height <= state.voteFloor) return null;",
    tests: [{ file: restart, name: "a replica whose log is gone abstains" }],
  },
  {
    id: "abstainer-outbox",
    rule: "What was on its way to the disk when abstention began is never sent.",
    broken: "it is sent once it is durable",
    file: `${CORE}/recovery.ts`,
    find: "  state.abstaining = true;\n  state.outbox = [];",
    replace: "  state.abstaining = true;",
    tests: [{ file: recovery, name: "what was on its way to the disk" }],
  },
  {
    id: "abstention-durable",
    rule: "Abstention survives a restart until a recovery is on record.",
    broken: "a restart ends it",
    file: `${CORE}/recovery.ts`,
    find: "      abstained = true;\n      continue;",
    replace: "      continue;",
    tests: [{ file: recovery, name: "abstention survives restarts" }],
  },
  {
    id: "recovered-vote-floor",
    rule: "After a recovery nothing is voted up to the height of the block that witnesses it.",
    broken: "it votes at once",
    file: `${CORE}/recovery.ts`,
    find: "  if (height > state.voteFloor) state.voteFloor = height;\n",
    replace: "",
    tests: [{ file: recovery, name: "no vote up to the height, no proposal" }],
  },
  {
    id: "recovered-propose-floor",
    rule: "After a recovery nothing is proposed up to one height above it, across restarts.",
    broken: "a restart forgets it",
    file: `${CORE}/recovery.ts`,
    find: "      if (record.height >= proposeFloor) proposeFloor = heightAfter(record.height);\n",
    replace: "",
    tests: [{ file: recovery, name: "no vote up to the height, no proposal" }],
  },
  {
    id: "recover-nonce-fresh",
    rule: "Each abstention draws a nonce of its own.",
    broken: "the nonce is always the same",
    file: `${NODE}/src/engine/recovery.ts`,
    find: "    this.#nonce ??= random.bytes(NONCE_BYTES);",
    replace: "    this.#nonce ??= new Uint8Array(NONCE_BYTES);",
    tests: [
      {
        file: `${NODE}/test/unit/engine/recovery.test.ts`,
        name: "draws a nonce for each abstention",
      },
    ],
  },
  {
    id: "recover-own-request",
    rule: "Only a request that this very process made witnesses its recovery.",
    broken: "any transaction of a later block does",
    file: `${NODE}/src/engine/recovery.ts`,
    find: "      this.#requests.some((request) => equalBytes(request.id, id)),\n    );\n    if",
    replace: "      this.#requests.some(() => id.length > 0),\n    );\n    if",
    tests: [
      {
        file: `${NODE}/test/unit/engine/recovery.test.ts`,
        name: "is not witnessed by what an earlier process asked",
      },
    ],
  },
  {
    id: "recover-succeeded",
    rule: "A request that failed in its block witnesses nothing.",
    broken: "it does",
    file: `${NODE}/src/engine/recovery.ts`,
    find: "    if (status === SUCCESS) return height;",
    replace: '    if (status !== "") return height;',
    tests: [
      {
        file: `${NODE}/test/unit/engine/recovery.test.ts`,
        name: "is not witnessed by a request that failed",
      },
    ],
  },
  {
    id: "recover-forgets",
    rule: "What was asked in an earlier abstention witnesses no later one.",
    broken: "it does",
    file: `${NODE}/src/engine/recovery.ts`,
    find: "      this.#nonce = null;\n      this.#requests = [];",
    replace: "      this.#nonce = null;",
    tests: [
      {
        file: `${NODE}/test/unit/engine/recovery.test.ts`,
        name: "draws a nonce for each abstention",
      },
    ],
  },
  {
    id: "recover-validators-only",
    rule: "Only a validator of the list recovers.",
    broken: "any enrolled validator key does",
    file: `${VM}/src/built-in/validators.ts`,
    find: '  if (validator === undefined) return refuseCall("VALIDATORS_NOT_A_VALIDATOR");',
    replace: "  if (validator === undefined) return;",
    tests: [
      { file: `${VM}/test/unit/evidence.test.ts`, name: "is for validators in the list alone" },
    ],
  },
  {
    id: "gate-quorum",
    rule: "After a start nothing is voted before q − 1 others were heard.",
    broken: "one is enough",
    file: `${NODE}/src/engine/height-claims.ts`,
    find: "      if (heights.length + (count - others.length) < quorum(count)) return null;",
    replace: "      if (heights.length === 0 && count > 1) return null;",
    tests: [
      { file: `${NODE}/test/unit/engine/replica-gate.test.ts`, name: "opens after q − 1 others" },
    ],
  },
  {
    id: "gate-height",
    rule: "After a start nothing is voted below the height that f + 1 claim.",
    broken: "the height is not waited for",
    file: `${NODE}/src/engine/replica-gate.ts`,
    find: "      return credible !== null && head + 1 >= credible;",
    replace: "      return credible !== null && head >= 0;",
    tests: [
      {
        file: `${NODE}/test/unit/engine/replica-gate.test.ts`,
        name: "waits for the height that f + 1 claim",
      },
    ],
  },
  {
    id: "distrust-durable",
    rule: "A log that misses a vote which a peer showed is not trusted after a restart either.",
    broken: "a restart trusts it again",
    file: `${NODE}/src/engine/vote-log-renewal.ts`,
    find: '    return this.append([{ type: "abstained", height }]);',
    replace: "    return this.append([]);",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-renewal.test.ts`,
        name: "is not trusted from then on",
      },
    ],
  },
  {
    id: "renewal-marked",
    rule: "Before segments move aside a marker says that the log is begun anew.",
    broken: "no marker is set",
    file: `${NODE}/src/engine/vote-log-renewal.ts`,
    find: "  await createMarker(disk, folder);\n  const names",
    replace: "  const names",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-renewal.test.ts`,
        name: "S-9.2-4: after a crash at any moment",
      },
    ],
  },
  {
    id: "renewal-marker-counts",
    rule: "While the marker stands the log is not trusted.",
    broken: "the marker is not looked for",
    file: `${NODE}/src/engine/vote-log-opening.ts`,
    find: 'all.includes(RENEWAL_MARKER) ? "was being begun anew" : null;',
    replace: "null;",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-renewal.test.ts`,
        name: "S-9.2-4: after a crash at any moment",
      },
    ],
  },
  {
    id: "renewal-marker-last",
    rule: "The marker goes once the first records of the new log are durable.",
    broken: "before that",
    file: `${NODE}/src/engine/vote-log-renewal.ts`,
    find: "      await fresh.append(records);",
    replace: "      void fresh.append(records);",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-renewal.test.ts`,
        name: "S-9.2-4: after a crash at any moment",
      },
    ],
  },
  {
    id: "renewal-keeps",
    rule: "The old log is moved aside, never deleted.",
    broken: "it is deleted",
    file: `${NODE}/src/engine/vote-log-renewal.ts`,
    find: "    await disk.rename(",
    replace: "    await ((from: string, _to: string) => disk.remove(from))(",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-renewal.test.ts`,
        name: "the old one is moved aside, not deleted",
      },
    ],
  },
  {
    id: "shown-vote-distrusts",
    rule: "A vote under our key that the log misses makes it untrusted, before the replica runs.",
    broken: "it is ignored",
    file: `${NODE}/src/engine/shown-votes.ts`,
    find: "  await log.distrust(vote.height);\n",
    replace: "",
    tests: [
      {
        file: `${NODE}/test/unit/engine/shown-votes.test.ts`,
        name: "makes a log that misses it untrusted",
      },
    ],
  },
  {
    id: "shown-vote-signed",
    rule: "A vote that a peer shows as ours counts only under our signature.",
    broken: "the claim is believed",
    file: `${NODE}/src/engine/shown-votes.ts`,
    find: '    return signatures.verifyAll(requests, "consensus");',
    replace: "    return signatures.size >= 0;",
    tests: [
      {
        file: `${NODE}/test/unit/engine/shown-votes.test.ts`,
        name: "counts only under our own signature",
      },
    ],
  },
  {
    id: "shown-vote-kept",
    rule: "A shown vote of a height whose validators are unknown is judged once they are.",
    broken: "it is forgotten",
    file: `${NODE}/src/engine/shown-votes.ts`,
    find: "    } else if (set === null) this.#keep(peer, vote);",
    replace: "    }",
    tests: [
      {
        file: `${NODE}/test/unit/engine/shown-votes.test.ts`,
        name: "is kept while its validators are not known",
      },
    ],
  },
  {
    id: "shown-vote-not-crowded-out",
    rule: "No number of strangers crowds out a vote that a validator shows.",
    broken: "whoever showed first makes room",
    file: `${NODE}/src/engine/shown-votes.ts`,
    find: "filter((id) => !members.includes(id));",
    replace: "filter((id) => members.length > 0 || id.length > 0);",
    tests: [
      {
        file: `${NODE}/test/unit/engine/shown-votes.test.ts`,
        name: "is not crowded out by what any number of strangers show",
      },
    ],
  },
  {
    id: "shown-vote-told",
    rule: "A running replica hears of a vote that is proven ours.",
    broken: "it does not",
    file: `${NODE}/src/engine/shown-votes.ts`,
    find: '    if (running !== null) running.feed({ type: "own-vote", message });\n    else if',
    replace: "    if",
    tests: [
      {
        file: `${NODE}/test/unit/engine/shown-votes.test.ts`,
        name: "is told to the replica once that runs",
      },
    ],
  },
];
