import type { BrokenRule } from "../rule.ts";
import { LEDGER, NODE } from "./places.ts";

/** What blocks bind, what peers may cost, and what a node does about its own data. */
export const nodeRules: readonly BrokenRule[] = [
  {
    id: "claim-is-hint",
    rule: "A claim of a height that cannot be judged yet is neither a proof nor a lie.",
    broken: "its peer is cut",
    file: `${NODE}/src/engine/certified-status.ts`,
    find: '  if (set === null) return accept("hint");',
    replace: '  if (set === null) return refuse("NODE_SYNC_INVALID_STATUS", "ahead");',
    tests: [{ file: "packages/simulator/test/simulation/sync.test.ts", name: "known bug 55:" }],
  },
  {
    id: "time-ascends",
    rule: "A block is later than its parent, by the header alone.",
    broken: "any time will do",
    file: `${LEDGER}/src/block-rules.ts`,
    find: '  if (header.timestampMs <= parent.header.timestampMs) return refuse("LEDGER_BLOCK_TIMESTAMP");\n',
    replace: "",
    tests: [{ file: `${LEDGER}/test/unit/proposal.test.ts`, name: "known bug 57:" }],
  },
  {
    id: "history-verified",
    rule: "The record of how block h was decided, in block h + 2, must verify.",
    broken: "it is believed",
    file: `${LEDGER}/src/proposal-check.ts`,
    find: '  return holds ? null : refuse("LEDGER_BLOCK_HISTORY", "does not verify");',
    replace:
      '  return holds === undefined ? refuse("LEDGER_BLOCK_HISTORY", "does not verify") : null;',
    tests: [{ file: `${LEDGER}/test/unit/proposal.test.ts`, name: "known bug 58:" }],
  },
  {
    id: "history-root",
    rule: "The header of block h + 2 binds the record of how block h was decided.",
    broken: "the root is not compared",
    file: `${LEDGER}/src/block-rules.ts`,
    find: "  if (!equalBytes(header.historyRoot, historyRoot(body.history))) {",
    replace: "  if (header.historyRoot.length === 0) {",
    tests: [{ file: `${LEDGER}/test/unit/proposal.test.ts`, name: "LEDGER_BLOCK_HISTORY_ROOT" }],
  },
  {
    id: "history-of-ancestor",
    rule: "The record is about the block two heights below, on this branch.",
    broken: "about any block of that height",
    file: `${LEDGER}/src/block-rules.ts`,
    find: "    equalBytes(certificate.digest, grandparent.digest) &&\n",
    replace: "",
    tests: [{ file: `${LEDGER}/test/unit/proposal.test.ts`, name: "LEDGER_BLOCK_HISTORY" }],
  },
  {
    id: "history-linked",
    rule: "Each kept row of history binds all rows below it.",
    broken: "its own bytes alone",
    file: `${LEDGER}/src/consensus-history.ts`,
    find: 'taggedSm3("credlink/consensus-history/1", previous, payload);',
    replace: 'taggedSm3("credlink/consensus-history/1", previous.slice(32), payload);',
    tests: [
      {
        file: `${LEDGER}/test/unit/consensus-history.test.ts`,
        name: "shows a vote that was taken out",
      },
    ],
  },
  {
    id: "history-compared",
    rule: "A kept row agrees with the record that the block two heights on carries.",
    broken: "they are not compared",
    file: `${LEDGER}/src/verify-history.ts`,
    find: '    if (this.#contradictsRecord(history)) faults.push("digest (recorded two blocks above)");\n',
    replace: "",
    tests: [
      {
        file: `${LEDGER}/test/unit/consensus-history.test.ts`,
        name: "holds a row against the record",
      },
    ],
  },
  {
    id: "lone-transaction-relayed",
    rule: "What a peer pushed and no block took is pushed to all: the primary may not know of it.",
    broken: "it waits with those who know it",
    file: `${NODE}/src/engine/transaction-intake.ts`,
    find: "    if (result.ok) return this.#relayLater(result.value.id, bytes);",
    replace: "    if (result.ok) return;",
    tests: [
      {
        file: "packages/simulator/test/simulation/sync.test.ts",
        name: "is relayed in time: the primary that did not know of it keeps its turn",
      },
      {
        file: `${NODE}/test/unit/engine/transaction-intake.test.ts`,
        name: "is pushed to all after 150 ms without a block, once",
      },
    ],
  },
  {
    id: "relay-bounded",
    rule: "What a peer pushed is not relayed where more than sixteen transactions wait.",
    broken: "everything is relayed",
    file: `${NODE}/src/engine/transaction-intake.ts`,
    find: "    if (mempool.size > MAX_RELAYED) return;",
    replace: "    if (mempool.size < 0) return;",
    tests: [
      {
        file: `${NODE}/test/unit/engine/transaction-intake.test.ts`,
        name: "is not where more than sixteen wait",
      },
    ],
  },
  {
    id: "flood-cut",
    rule: "Who sends far beyond its allowance is cut.",
    broken: "it is only dropped",
    file: `${NODE}/src/engine/peer-budget.ts`,
    find: '      if (isFlood) cut(peer, "NODE_PEER_FLOOD");',
    replace: "      if (isFlood) windows.delete(peer);",
    tests: [
      {
        file: `${NODE}/test/unit/engine/peer-budget.test.ts`,
        name: "is dropped up to 5,000 times",
      },
      { file: `${NODE}/test/unit/engine/message-door.test.ts`, name: "cut for a flood alone" },
    ],
  },
  {
    id: "faults-cut",
    rule: "Who sends more than twenty invalid messages in a second is cut.",
    broken: "at twice as many",
    file: `${NODE}/src/engine/peer-budget.ts`,
    find: "      if (window.faults > FAULTS_PER_WINDOW) cut(peer",
    replace: "      if (window.faults > 2 * FAULTS_PER_WINDOW) cut(peer",
    tests: [
      { file: `${NODE}/test/unit/engine/peer-budget.test.ts`, name: "cuts after more than twenty" },
      { file: `${NODE}/test/unit/engine/message-door.test.ts`, name: "cut after the twenty-first" },
    ],
  },
  {
    id: "signatures-bounded",
    rule: "What one peer makes us verify is bounded.",
    broken: "everything is verified",
    file: `${NODE}/src/engine/message-door.ts`,
    find: '    if (!parts.budget.spend(from.id, "signatures", requests?.length)) return drop("over_budget");\n',
    replace: "",
    tests: [
      {
        file: `${NODE}/test/unit/engine/message-door.test.ts`,
        name: "is verified so often and no more",
      },
    ],
  },
  {
    id: "isolation-cuts",
    rule: "A node that finds its own data altered stops votes and answers.",
    broken: "it goes on",
    file: `${NODE}/src/self-check/isolation.ts`,
    find: "    await Promise.all([cutOff(), writeMark(dataDir, findings)]);",
    replace: "    await writeMark(dataDir, findings);",
    tests: [
      {
        file: `${NODE}/test/scenarios/self-check.test.ts`,
        name: "the first finding cuts it off once",
      },
    ],
  },
  {
    id: "isolation-marked",
    rule: "Altered data are marked on disk until they are repaired.",
    broken: "a restart knows nothing of them",
    file: `${NODE}/src/self-check/isolation.ts`,
    find: "    await Promise.all([cutOff(), writeMark(dataDir, findings)]);",
    replace: "    await cutOff();",
    tests: [
      {
        file: `${NODE}/test/scenarios/self-check.test.ts`,
        name: "the first finding cuts it off once",
      },
    ],
  },
  {
    id: "isolation-lasts",
    rule: "A node whose data are marked starts isolated.",
    broken: "it starts as if nothing were",
    file: `${NODE}/src/self-check/isolation.ts`,
    find: "  let isOn = mark !== null;",
    replace: "  let isOn = false;",
    tests: [
      {
        file: `${NODE}/test/scenarios/self-check.test.ts`,
        name: "the first finding cuts it off once",
      },
    ],
  },
  {
    id: "isolation-by-proof",
    rule: "Only a certificate that verifies makes another block than ours a finding.",
    broken: "a peer's word does",
    file: `${NODE}/src/self-check/peer-check.ts`,
    find: "    verifyCommitCertificate(certificate, validators, { chainId, genesisDigest }, sm2Verify).ok;\n  const own",
    replace: "    certificate.signatures.length >= 0;\n  const own",
    tests: [
      {
        file: `${NODE}/test/scenarios/self-check.test.ts`,
        name: "a peer that answers without a valid certificate",
      },
    ],
  },
];
