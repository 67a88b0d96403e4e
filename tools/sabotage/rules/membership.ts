import type { BrokenRule } from "../rule.ts";
import { CORE, LEDGER, NODE, rotation, settings, VM, views } from "./places.ts";

/** Who is a validator, and whose turn it is. */
export const membershipRules: readonly BrokenRule[] = [
  {
    id: "joiner-told",
    rule: "Who becomes a validator with the next height is told of the block before: it had no votes of it.",
    broken: "it is taken for one that votes have told",
    file: `${NODE}/src/engine/engine.ts`,
    find: "const set = directory.at(ledger.head.header.height);",
    replace: "const set = directory.next();",
    tests: [
      {
        file: "packages/simulator/test/simulation/regressions.test.ts",
        name: "a node that became a validator, and at once primary",
      },
    ],
  },
  {
    id: "changes-limited",
    rule: "A block admits max(1, f) changes of the validators, f being that of the list before it.",
    broken: "f is that of the list as the block's own changes have left it, and all are admitted",
    file: `${VM}/src/built-in/validator-registry.ts`,
    find: "  if (registry.changedAt === height) return registry.changesLeft;",
    replace: "",
    tests: [
      {
        file: `${VM}/test/unit/validator-limits.test.ts`,
        name: "a list that grows within a block",
      },
    ],
  },
  {
    id: "lists-from-h2",
    rule: "The list that block h names holds from height h + 2 on, in the replica.",
    broken: "from h + 1 on",
    file: `${CORE}/deciding.ts`,
    find: "  advance(step, proposal, false, current.nextValidators, successor);",
    replace: "  advance(step, proposal, false, successor.validatorsAfterNext, successor);",
    tests: [
      { file: settings, name: "known bug 13:" },
      { file: settings, name: "known bug 65:" },
      { file: views, name: "known bug 41:" },
      { file: views, name: "known bug 48:" },
    ],
  },
  {
    id: "lists-from-h2-stored",
    rule: "The list that block h names holds from height h + 2 on, in the ledger.",
    broken: "from h + 1 on",
    file: `${LEDGER}/src/chain.ts`,
    find: "      if (height === tip.header.height + 2) return tip.validatorsAfterNext;\n      if",
    replace: "      if (height > tip.header.height) return tip.validatorsAfterNext;\n      if",
    tests: [{ file: `${LEDGER}/test/unit/chain.test.ts`, name: "validators named by block h" }],
  },
  {
    id: "timing-of-chain",
    rule: "Intervals are those that the state below names, for all at one height.",
    broken: "those of the first height stay",
    file: `${CORE}/deciding.ts`,
    find: "    nextValidators: validatorsAfterNext,\n    timing,",
    replace: "    nextValidators: validatorsAfterNext,\n    timing: current.timing,",
    tests: [{ file: settings, name: "known bug 47:" }],
  },
  {
    id: "skip-delay",
    rule: "A skip that block k makes counts from height k + 2 on: the primary of k + 1 is fixed.",
    broken: "from k + 1 on",
    file: `${CORE}/rotation.ts`,
    find: "const EFFECT_DELAY = 2;",
    replace: "const EFFECT_DELAY = 1;",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "edges: the second miss",
      },
      { file: `${VM}/test/unit/rotation.test.ts`, name: "is written only when it changes" },
    ],
  },
  {
    id: "skip-at-second",
    rule: "Two misses within 4 n heights make a validator skipped.",
    broken: "so does one a height older",
    file: `${CORE}/rotation.ts`,
    find: "(miss) => miss.height > oldest",
    replace: "(miss) => miss.height >= oldest",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "edges: the second miss",
      },
    ],
  },
  {
    id: "skip-capped",
    rule: "At most f are skipped at once: the oldest skip gives way.",
    broken: "any number is skipped",
    file: `${CORE}/rotation.ts`,
    find: "  if (ended.size === 0) return list;",
    replace: "  if (ended.size >= 0) return list;",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "equals the slow model",
      },
    ],
  },
  {
    id: "skip-ends",
    rule: "A skip ends, and the validator is primary again.",
    broken: "it lasts for ever",
    file: `${CORE}/rotation.ts`,
    find: "from <= height && height < until)",
    replace: "from <= height)",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "edges: the second miss",
      },
      { file: rotation, name: "a validator of 4 that comes back" },
    ],
  },
  {
    id: "skip-pardoned",
    rule: "A turn that is taken after a skip clears the record.",
    broken: "the next miss doubles the skip",
    file: `${CORE}/rotation.ts`,
    find: "    return entry === undefined ? list : { ...list, skips: without(list.skips, primary) };",
    replace: "    return list;",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "edges: the second miss",
      },
    ],
  },
  {
    id: "skip-doubles",
    rule: "Another miss after a skip doubles it, up to 64 n heights.",
    broken: "it stays as long",
    file: `${CORE}/rotation.ts`,
    find: "Math.min(2 * entry.length,",
    replace: "Math.min(entry.length,",
    tests: [
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "edges: the second miss",
      },
      {
        file: "packages/consensus-pbft/test/property/rotation.test.ts",
        name: "a dead validator costs ever fewer turns",
      },
    ],
  },
  {
    id: "skip-not-at-f0",
    rule: "Where no fault is tolerated nobody is skipped.",
    broken: "misses count all the same",
    file: `${CORE}/rotation.ts`,
    find: "  if (faultBound(turn.validatorCount) === 0) return list;\n",
    replace: "",
    tests: [
      { file: `${VM}/test/unit/rotation.test.ts`, name: "skips nobody where fewer than four" },
    ],
  },
  {
    id: "skipped-not-primary",
    rule: "Who is skipped is not primary.",
    broken: "it is all the same",
    file: `${CORE}/validator-set.ts`,
    find: "    skipped.includes(nodeId) ? []",
    replace: '    skipped.includes("") && nodeId !== "" ? []',
    tests: [{ file: rotation, name: "f of 4 dead" }],
  },
  {
    id: "ready-recent",
    rule: "A node is added only within 100 blocks of its word that it follows.",
    broken: "any word of it counts",
    file: `${VM}/src/built-in/validators.ts`,
    find: "  if (readyAt === null || readyAt + ANCESTOR_WINDOW < call.block.height) {",
    replace: "  if (readyAt === null) {",
    tests: [
      {
        file: `${VM}/test/unit/governance.test.ts`,
        name: "adds a node only within a hundred blocks",
      },
    ],
  },
  {
    id: "ready-said",
    rule: "A node that never said READY is not added.",
    broken: "it is",
    file: `${VM}/src/built-in/validators.ts`,
    find: "  if (readyAt === null || readyAt + ANCESTOR_WINDOW < call.block.height) {",
    replace: "  if (readyAt !== null && readyAt + ANCESTOR_WINDOW < call.block.height) {",
    tests: [
      {
        file: `${VM}/test/unit/governance.test.ts`,
        name: "adds a node only within a hundred blocks",
      },
    ],
  },
  {
    id: "ready-proven",
    rule: "READY names the digest of a recent block of this chain.",
    broken: "any digest will do",
    file: `${VM}/src/built-in/validators.ts`,
    find: '  if (known === null || !equalBytes(known, digest)) refuseCall("VALIDATORS_READY_REFUSED");',
    replace: '  if (known === null) refuseCall("VALIDATORS_READY_REFUSED");',
    tests: [{ file: `${VM}/test/unit/governance.test.ts`, name: "takes the word only of" }],
  },
  {
    id: "ready-caught-up",
    rule: "A node says READY once it is where f + 1 validators claim to be.",
    broken: "as soon as a quorum was heard",
    file: `${NODE}/src/engine/readiness.ts`,
    find: "highest !== null && head + 1 >= highest;",
    replace: "highest !== null;",
    tests: [
      { file: `${NODE}/test/unit/engine/readiness.test.ts`, name: "is not held up by one liar" },
    ],
  },
  {
    id: "solo-not-production",
    rule: "A production chain is never solo.",
    broken: "it may be",
    file: `${VM}/src/built-in/genesis-state.ts`,
    find: '  if (isSolo && genesis.production) throw invalid("a production chain is never solo");\n',
    replace: "",
    tests: [{ file: `${VM}/test/unit/genesis.test.ts`, name: "a solo chain for production" }],
  },
  {
    id: "solo-for-good",
    rule: "A solo chain keeps its one validator.",
    broken: "governance may add to it",
    file: `${VM}/src/built-in/validators.ts`,
    find: '  if (registry.consensus === "solo") refuseCall("VALIDATORS_SOLO");\n',
    replace: "",
    tests: [{ file: `${VM}/test/unit/governance.test.ts`, name: "is refused by a solo chain" }],
  },
];
