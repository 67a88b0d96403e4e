/** Where the rules and their tests are. */
export const CORE = "packages/consensus-pbft/src";
export const VM = "packages/contracts-vm";
export const LEDGER = "packages/ledger";
export const NODE = "packages/node";

const SCENARIOS = "packages/consensus-pbft/test/scenarios";
export const UNIT = "packages/consensus-pbft/test/unit";

export const agreement = `${SCENARIOS}/known-bugs-agreement.test.ts`;
export const views = `${SCENARIOS}/known-bugs-views.test.ts`;
export const messages = `${SCENARIOS}/known-bugs-messages.test.ts`;
export const restarts = `${SCENARIOS}/known-bugs-restart.test.ts`;
export const viewChange = `${SCENARIOS}/view-change.test.ts`;
export const amnesia = `${SCENARIOS}/amnesia.test.ts`;
export const byzantine = `${SCENARIOS}/byzantine.test.ts`;
export const order = `${SCENARIOS}/order-of-events.test.ts`;
export const restart = `${SCENARIOS}/restart.test.ts`;
export const recovery = `${SCENARIOS}/recovery.test.ts`;
export const rotation = `${SCENARIOS}/rotation.test.ts`;
export const settings = `${SCENARIOS}/settings.test.ts`;
export const lostVotes = `${SCENARIOS}/lost-votes.test.ts`;
export const certificates = `${UNIT}/certificates.test.ts`;
export const bounds = `${UNIT}/bounds.test.ts`;
export const retransmission = `${UNIT}/retransmission.test.ts`;
export const voteLog = `${UNIT}/vote-log.test.ts`;
