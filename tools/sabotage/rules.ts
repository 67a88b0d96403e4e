import type { BrokenRule } from "./rule.ts";

const CORE = "packages/consensus-pbft/src";
const SCENARIOS = "packages/consensus-pbft/test/scenarios";
const UNIT = "packages/consensus-pbft/test/unit";

const agreement = `${SCENARIOS}/known-bugs-agreement.test.ts`;
const views = `${SCENARIOS}/known-bugs-views.test.ts`;
const messages = `${SCENARIOS}/known-bugs-messages.test.ts`;
const restarts = `${SCENARIOS}/known-bugs-restart.test.ts`;
const viewChange = `${SCENARIOS}/view-change.test.ts`;
const byzantine = `${SCENARIOS}/byzantine.test.ts`;
const order = `${SCENARIOS}/order-of-events.test.ts`;
const restart = `${SCENARIOS}/restart.test.ts`;
const settings = `${SCENARIOS}/settings.test.ts`;
const certificates = `${UNIT}/certificates.test.ts`;
const bounds = `${UNIT}/bounds.test.ts`;

/** Thresholds and certificates: what makes two quorums meet in an honest validator. */
const counting: readonly BrokenRule[] = [
  {
    id: "quorum",
    rule: "A certificate takes ⌊(n + f) / 2⌋ + 1 distinct validators.",
    broken: "one fewer",
    file: `${CORE}/quorum.ts`,
    find: "faultBound(validatorCount)) / 2) + 1;",
    replace: "faultBound(validatorCount)) / 2);",
    tests: [
      { file: `${UNIT}/quorum.test.ts`, name: "known bug 3: the table" },
      { file: settings, name: "known bug 3: even halves" },
    ],
  },
  {
    id: "distinct-signers",
    rule: "Signers are counted, not signatures: indices ascend strictly.",
    broken: "an index may come twice",
    file: `${CORE}/certificates.ts`,
    find: "if (index <= previous) return",
    replace: "if (index < previous) return",
    tests: [{ file: certificates, name: "known bug 67" }],
  },
  {
    id: "distinct-voters",
    rule: "A validator's second vote of a view does not count.",
    broken: "votes are kept under their signature",
    file: `${CORE}/normal-case.ts`,
    find: "  if (first === undefined) votes.set(vote.sender, vote);",
    replace:
      "  if (first !== undefined && !isEquivocation(first, vote)) votes.set((1000 + votes.size) as never, vote);\n" +
      "  if (first === undefined) votes.set(vote.sender, vote);",
    tests: [{ file: byzantine, name: "known bugs 62 and 67" }],
  },
  {
    id: "index-bound",
    rule: "An index at or beyond n is nobody.",
    broken: "any index counts as a signer",
    file: `${CORE}/certificates.ts`,
    find: 'if (index >= validatorCount) return refuse("CONSENSUS_CERTIFICATE_MALFORMED", "no such index");',
    replace: "",
    tests: [{ file: certificates, name: "S-9.2-1: q distinct signers verify" }],
  },
  {
    id: "view-signed",
    rule: "The view is part of what PREPARE and COMMIT sign.",
    broken: "it is left out",
    file: `${CORE}/signed-payloads.ts`,
    find: "  const fields = { ...message, ...pickContext(context) };",
    replace: "  const fields = { ...message, view: 0 as View, ...pickContext(context) };",
    tests: [{ file: certificates, name: "each signed field is bound" }],
  },
  {
    id: "claims-complete",
    rule: "Every signature inside a justification is verified, not its own alone.",
    broken: "a view change's certificate is believed",
    file: `${CORE}/signed-payloads.ts`,
    find: "return [ownClaim(message, context), ...preparedClaims(message.prepared, context)];",
    replace: "return [ownClaim(message, context)];",
    tests: [
      { file: certificates, name: "signatureClaims names every signature" },
      { file: messages, name: "known bug 44" },
    ],
  },
];

/** Voting within a view. */
const voting: readonly BrokenRule[] = [
  {
    id: "one-prepare",
    rule: "One PREPARE for each (height, view), across restarts.",
    broken: "the log's PREPAREs are not replayed",
    file: `${CORE}/recovery.ts`,
    find: "      promises.prepared.set(record.view, record.digest);",
    replace: "",
    tests: [
      { file: byzantine, name: "a PREPARE is remembered across a restart" },
      { file: restarts, name: "known bug 54" },
    ],
  },
  {
    id: "persist-before-send",
    rule: "A vote leaves only after its record is durable.",
    broken: "it is broadcast at once",
    file: `${CORE}/emit.ts`,
    find: '  step.effects.push({ type: "persist", lsn, records: [record] });',
    replace:
      '  step.effects.push({ type: "persist", lsn, records: [record] });\n' +
      '  step.effects.push({ type: "broadcast", message });',
    tests: [{ file: order, name: "no vote leaves before its record is durable" }],
  },
  {
    id: "body-before-commit",
    rule: "The bodies of a block are durable before the promise to commit it.",
    broken: "they are not stored",
    file: `${CORE}/normal-case.ts`,
    find: '  step.effects.push({ type: "persist-body", digest });',
    replace: "",
    tests: [{ file: order, name: "a body is durable before the promise" }],
  },
  {
    id: "execute-before-prepare",
    rule: "Only a block that was executed and found valid gets a PREPARE.",
    broken: "every accepted block does",
    file: `${CORE}/normal-case.ts`,
    find: '  if (candidateOf(current, digest)?.verdict !== "valid") return false;\n  promises.prepared',
    replace: "  promises.prepared",
    tests: [
      { file: byzantine, name: "S-9.2-2: an invalid block gets no PREPARE" },
      { file: agreement, name: "known bug 61" },
    ],
  },
  {
    id: "no-fast-path",
    rule: "q PREPAREs lock a block; only q COMMITs decide it.",
    broken: "a quorum of PREPAREs decides",
    file: `${CORE}/deciding.ts`,
    find: "  for (const [view, votes] of current.commits) {",
    replace: "  for (const [view, votes] of [...current.commits, ...current.prepares]) {",
    tests: [{ file: agreement, name: "known bug 5" }],
  },
  {
    id: "header-rules",
    rule: "A proposal's header must fit the height's parent and validator lists.",
    broken: "the validators' digest is not compared",
    file: `${CORE}/normal-case.ts`,
    find: '  if (!equalBytes(proposal.validatorsHash, place.validators.hash)) return "validators";',
    replace: "",
    tests: [{ file: byzantine, name: "known bug 43" }],
  },
  {
    id: "timely",
    rule: "A fresh proposal's time is near the receiver's clock.",
    broken: "any time will do",
    file: `${CORE}/normal-case.ts`,
    find: "  return Math.abs(timestampMs - receivedMs) <= precisionMs + delay;",
    replace: "  return timestampMs + receivedMs + precisionMs + delay > 0;",
    tests: [{ file: byzantine, name: "known bug 43" }],
  },
  {
    id: "timely-fresh-only",
    rule: "A block that is proposed again is never too old.",
    broken: "its time is judged again",
    file: `${CORE}/normal-case.ts`,
    find: "  if (verdict.fresh && !isTimely(",
    replace: "  if (!isTimely(",
    tests: [{ file: viewChange, name: "known bug 16" }],
  },
  {
    id: "halt-on-divergence",
    rule: "A certified block that our execution refuses stops us.",
    broken: "the refusal is ignored",
    file: `${CORE}/deciding.ts`,
    find: '    halt(step, "CONSENSUS_EXECUTION_DIVERGED");',
    replace: "",
    tests: [{ file: byzantine, name: "known bug 59: q commits for a block" }],
  },
  {
    id: "head-durable",
    rule: "No vote for a height before the store holds the one below it.",
    broken: "votes do not wait for the store",
    file: `${CORE}/normal-case.ts`,
    find: "  if (self === null || !state.headDurable || accepted === undefined) return false;",
    replace: "  if (self === null || accepted === undefined) return false;",
    tests: [{ file: order, name: "nothing of the next height is prepared" }],
  },
];

/** Entering views, and what is proposed in them. */
const changing: readonly BrokenRule[] = [
  {
    id: "lock-travels",
    rule: "A VIEW-CHANGE carries the highest durable prepared certificate.",
    broken: "it claims that nothing was prepared",
    file: `${CORE}/view-change.ts`,
    find: "  const prepared = promises.entryLock?.certificate ?? null;",
    replace:
      "  const prepared = promises.view < 0 ? (promises.entryLock?.certificate ?? null) : null;",
    tests: [
      { file: agreement, name: "known bug 1: one of 4" },
      { file: agreement, name: "known bug 1: one of 7" },
      { file: viewChange, name: "known bug 63" },
    ],
  },
  {
    id: "lock-durable",
    rule: "The lock comes back from the vote log.",
    broken: "a restart forgets it",
    file: `${CORE}/recovery.ts`,
    find: "      promises.lock = { certificate, proposal };",
    replace: "      promises.lock = proposal.height < 0 ? { certificate, proposal } : null;",
    tests: [
      { file: restart, name: "known bug 26" },
      { file: agreement, name: "known bug 1: one of 4" },
    ],
  },
  {
    id: "entry-lock-durable",
    rule: "A restart in a view sends the VIEW-CHANGE that it sent before.",
    broken: "the lock of the entry is not replayed",
    file: `${CORE}/recovery.ts`,
    find: "      promises.entryLock = promises.lock;",
    replace: "",
    tests: [{ file: restart, name: "all restart in a view that they entered locked" }],
  },
  {
    id: "justification-recomputed",
    rule: "Receivers recompute the justification of every proposal above view 0.",
    broken: "the primary's word is taken",
    file: `${CORE}/normal-case.ts`,
    find: "    if (!shape.ok) return { reason: shape.code };\n    obliged = shape.value;",
    replace: "    if (shape.ok) obliged = null;",
    tests: [{ file: agreement, name: "known bug 8" }],
  },
  {
    id: "justification-missing",
    rule: "A pre-prepare above view 0 has a justification.",
    broken: "it may come without one",
    file: `${CORE}/normal-case.ts`,
    find: "  if ((view === 0) !== (justification === null)) {",
    replace: "  if (view === 0 && justification !== null) {",
    tests: [{ file: byzantine, name: "known bug 46" }],
  },
  {
    id: "highest-certificate",
    rule: "The certificate of the highest prepared view is the one that binds.",
    broken: "the lowest is taken",
    file: `${CORE}/certificates.ts`,
    find: "preparedView !== null && (highest === null || preparedView > highest)",
    replace: "preparedView !== null && (highest === null || preparedView < highest)",
    tests: [{ file: certificates, name: "known bug 33: not the highest" }],
  },
  {
    id: "claim-proven",
    rule: "A VIEW-CHANGE proves the prepared view that it claims.",
    broken: "the certificate may be for something else",
    file: `${CORE}/certificates.ts`,
    find: '  if (!fits) return refuse("CONSENSUS_JUSTIFICATION_MISMATCH", "certificate of something else");',
    replace: "",
    tests: [{ file: certificates, name: "known bug 33: a view change proves exactly" }],
  },
  {
    id: "own-lock-not-compared",
    rule: "A justified proposal is followed whatever the own lock says.",
    broken: "a proposal against the own lock is refused",
    file: `${CORE}/normal-case.ts`,
    find: "  const verdict = judgePrePrepare(state, message);",
    replace:
      "  const lock = current.promises.lock;\n" +
      "  if (lock !== null && !equalBytes(lock.certificate.digest, message.digest)) return;\n" +
      "  const verdict = judgePrePrepare(state, message);",
    tests: [{ file: viewChange, name: "known bug 2" }],
  },
  {
    id: "two-steps",
    rule: "q wishes change the view; a timer alone does not.",
    broken: "a timer enters the next view",
    file: `${CORE}/synchroniser.ts`,
    find: "  sendWish(step, self, laterView(current.ownWish, next));",
    replace: "  sendWish(step, self, laterView(current.ownWish, next));\n  enterView(step, next);",
    tests: [{ file: viewChange, name: "known bug 30" }],
  },
  {
    id: "q-wishes",
    rule: "It takes q wishes to enter a view, not f + 1.",
    broken: "one wish is enough",
    file: `${CORE}/synchroniser.ts`,
    find: "  const wished = nthWish(current, current.quorum);",
    replace: "  const wished = nthWish(current, 1);",
    tests: [
      { file: viewChange, name: "known bug 42" },
      { file: bounds, name: "f wishes move nobody" },
    ],
  },
  {
    id: "wish-raised",
    rule: "f + 1 wishes for a higher view raise the own wish.",
    broken: "nobody follows",
    file: `${CORE}/synchroniser.ts`,
    find: "  if (self === null || wished <= current.ownWish) return false;",
    replace: "  if (self === null || wished <= current.ownWish || wished > 0) return false;",
    tests: [{ file: bounds, name: "f wishes move nobody" }],
  },
  {
    id: "view-change-wishes",
    rule: "A VIEW-CHANGE also counts as a wish for its view.",
    broken: "only a WISH does",
    file: `${CORE}/view-change.ts`,
    find: "    current.wishes.set(message.sender, message.view);",
    replace: "",
    tests: [{ file: views, name: "known bug 49" }],
  },
  {
    id: "justified-entry",
    rule: "A justified pre-prepare of a higher view takes a replica along.",
    broken: "it waits for wishes",
    file: `${CORE}/normal-case.ts`,
    find: "  if (view > current.view) enterView(step, view);",
    replace: "  if (view > current.view) return;",
    tests: [{ file: viewChange, name: "a replica that heard no wish follows" }],
  },
  {
    id: "old-view-muted",
    rule: "Once a view is entered nothing of a lower one is voted.",
    broken: "a vote that became durable late is sent all the same",
    file: `${CORE}/emit.ts`,
    find: "message.height === current.height && message.view === current.view) {",
    replace: "message.height === current.height) {",
    tests: [{ file: bounds, name: "a vote that became durable after its view was left" }],
  },
  {
    id: "repropose-unchanged",
    rule: "A prepared block is proposed again, not another.",
    broken: "the primary of a later view builds a fresh one",
    file: `${CORE}/proposing.ts`,
    find: "  if (prepared === null) {",
    replace: "  if (prepared === null || view > 0) {",
    tests: [
      { file: viewChange, name: "known bug 63" },
      { file: viewChange, name: "known bug 6" },
    ],
  },
];

/** Restarts, retransmission, timers and bounds. */
const lasting: readonly BrokenRule[] = [
  {
    id: "changes-limited",
    rule: "A block admits max(1, f) changes of the validators, f being that of the list before it.",
    broken: "f is that of the list as the block's own changes have left it, and all are admitted",
    file: "packages/contracts-vm/src/built-in/validators.ts",
    find: "  if (registry.changedAt === height) return registry.changesLeft;",
    replace: "",
    tests: [
      {
        file: "packages/contracts-vm/test/unit/validator-limits.test.ts",
        name: "a list that grows within a block",
      },
    ],
  },
  {
    id: "folder-synced",
    rule: "A new segment's folder is synced before a vote in it counts as durable.",
    broken: "only the file is",
    file: "packages/node/src/engine/vote-log-writer.ts",
    find: "  await file.sync();\n  await disk.syncFolder(folder);",
    replace: "  await file.sync();",
    tests: [
      {
        file: "packages/node/test/unit/engine/vote-log-writer.test.ts",
        name: "known bug 52",
      },
    ],
  },
  {
    id: "torn-tail-only",
    rule: "Only a torn tail is cut; a bad record before a good one makes us abstain.",
    broken: "everything bad is cut",
    file: `${CORE}/vote-log.ts`,
    find: '  if (hasLaterFrame(rest, found.nextLsn)) return damaged("a bad frame before a good one");',
    replace: "",
    tests: [{ file: `${UNIT}/vote-log.test.ts`, name: "a flip of every byte is noticed" }],
  },
  {
    id: "log-not-shorter",
    rule: "A log that ends before what was durable is damaged.",
    broken: "it is read as far as it goes",
    file: `${CORE}/vote-log.ts`,
    find: '  if (found.nextLsn <= acknowledgedLsn) return damaged("ends before what was durable");',
    replace: "",
    tests: [{ file: `${UNIT}/vote-log.test.ts`, name: "known bug 53" }],
  },
  {
    id: "resume-view",
    rule: "A restart resumes in exactly the view that was entered last.",
    broken: "it starts in view 0",
    file: `${CORE}/state.ts`,
    find: "    view: place.promises.view,",
    replace: "    view: VIEW_ZERO,",
    tests: [{ file: restart, name: "known bug 34" }],
  },
  {
    id: "own-vote-unknown",
    rule: "A vote of our own that the log does not know makes us abstain.",
    broken: "it is ignored",
    file: `${CORE}/recovery.ts`,
    find: "  if (!state.abstaining && isForgotten(",
    replace: "  if (state.halted && isForgotten(",
    tests: [{ file: restart, name: "a vote of our own that our log does not know" }],
  },
  {
    id: "vote-floor",
    rule: "No vote at a height that the log knows decided.",
    broken: "the log's decisions are forgotten",
    file: `${CORE}/recovery.ts`,
    find: "      if (record.height > voteFloor) voteFloor = record.height;",
    replace: "",
    tests: [
      { file: restart, name: "a store behind the vote log" },
      { file: restarts, name: "known bug 54" },
    ],
  },
  {
    id: "retransmission",
    rule: "Own votes are sent again until the height is decided.",
    broken: "they are sent once",
    file: `${CORE}/retransmission.ts`,
    find: '    if (message !== undefined) step.effects.push({ type: "broadcast", message });',
    replace: "",
    tests: [{ file: agreement, name: "known bug 40: all first" }],
  },
  {
    id: "late-answered",
    rule: "Who asks about a decided height is sent its certificate.",
    broken: "nobody answers",
    file: `${CORE}/intake.ts`,
    find: "    answerLate(step, message);",
    replace: "",
    tests: [{ file: restart, name: "one block missed, nothing else going on" }],
  },
  {
    id: "stale-timer",
    rule: "A timer of a view that was left means nothing.",
    broken: "every firing counts",
    file: `${CORE}/replica.ts`,
    find: "  if (!takeFiring(state, timer)) return;",
    replace: "  takeFiring(state, timer);",
    tests: [{ file: restarts, name: "known bug 59" }],
  },
  {
    id: "idle-timer",
    rule: "Without work no timer of view 0 runs.",
    broken: "it always runs",
    file: `${CORE}/synchroniser.ts`,
    find: "  const active = isActive(step);",
    replace: "  const active = isActive(step) || true;",
    tests: [{ file: settings, name: "known bug 22" }],
  },
  {
    id: "view-window",
    rule: "Votes are kept for the current view and the two after it.",
    broken: "for every view",
    file: `${CORE}/normal-case.ts`,
    find: "  if (view <= step.state.current.view + VIEWS_AHEAD) return true;",
    replace: "  if (view >= 0) return true;",
    tests: [{ file: bounds, name: "known bug 25" }],
  },
  {
    id: "idempotent-import",
    rule: "A block that the store confirms again changes nothing.",
    broken: "the height starts anew",
    file: `${CORE}/deciding.ts`,
    find: "  if (input.height < head.height) return;\n  if (input.height === head.height) {",
    replace: "  if (input.height < head.height - 1) {",
    tests: [
      { file: order, name: "known bug 38" },
      { file: restarts, name: "known bug 27" },
    ],
  },
  {
    id: "amnesia-proven",
    rule: "A COMMIT and a later VIEW-CHANGE that denies it are evidence.",
    broken: "they are not compared",
    file: `${CORE}/evidence.ts`,
    find: "    if (commit !== undefined && deniesCommit(commit.view, viewChange)) {",
    replace: "    if (commit !== undefined && commit.view > viewChange.view) {",
    tests: [{ file: byzantine, name: "known bug 9" }],
  },
];

/** Every rule that is shown to be guarded. `pnpm sabotage` breaks them one by one. */
export const brokenRules: readonly BrokenRule[] = [...counting, ...voting, ...changing, ...lasting];
