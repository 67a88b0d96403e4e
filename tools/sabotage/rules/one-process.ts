import type { BrokenRule } from "../rule.ts";

const ENGINE = "packages/node/src/engine";
const instances = "packages/node/test/unit/engine/key-instances.test.ts";

/** One process a key: who may vote from a log, and what makes a validator that runs twice abstain. */
export const oneProcessRules: readonly BrokenRule[] = [
  {
    id: "one-process-a-log",
    rule: "The vote log's folder is one process's alone.",
    broken: "only the database is locked",
    file: "packages/node/src/components.ts",
    find: "votesLock = await lockFolder(join(config.dataDir, VOTES_FOLDER));",
    replace: "votesLock = { release: async () => {} };",
    tests: [
      {
        file: "packages/node/test/scenarios/folder-lock.test.ts",
        name: "a node with a database of its own",
      },
    ],
  },
  {
    id: "shared-key-abstains",
    rule: "Who learns that another process has its key votes no more.",
    broken: "it votes on",
    file: "packages/consensus-pbft/src/recovery.ts",
    find: '  report(step, "CONSENSUS_KEY_SHARED");\n  abstain(step, state.current.height);',
    replace: '  report(step, "CONSENSUS_KEY_SHARED");',
    tests: [
      {
        file: "packages/consensus-pbft/test/scenarios/restart.test.ts",
        name: "another process with our key",
      },
    ],
  },
  {
    id: "shared-key-no-recovery",
    rule: "No process recovers that knows of another one with its key.",
    broken: "it asks for its recovery",
    file: `${ENGINE}/engine.ts`,
    find: "        !this.#keySharing.isShared &&\n",
    replace: "",
    tests: [
      {
        file: "packages/node/test/scenarios/shared-key.test.ts",
        name: "two machines with one key",
      },
    ],
  },
  {
    id: "first-vote-clear",
    rule: "No first vote while a peer shows another process, for ten seconds.",
    broken: "what a peer shows holds up nothing",
    file: `${ENGINE}/instance-watch.ts`,
    find: "if (!isClaimed || this.#claimedAtMs === null) return true;",
    replace: "if (isClaimed !== null) return true;",
    tests: [{ file: instances, name: "of a second process is never cast" }],
  },
  {
    id: "first-vote-asked",
    rule: "No first vote before q - 1 others were asked for other processes.",
    broken: "it is cast at once",
    file: `${ENGINE}/instance-watch.ts`,
    find: "this.#answered.has(peer)).length < needed",
    replace: "this.#answered.has(peer)).length < 0",
    tests: [{ file: instances, name: "waits for the answers that it needs" }],
  },
  {
    id: "statement-fresh",
    rule: "A statement of our key counts only if it names this very process.",
    broken: "one about an earlier process does as well",
    file: `${ENGINE}/instance-watch.ts`,
    find: "isAbout(statement, null, instance) &&",
    replace: "isAbout(statement, null, null) &&",
    tests: [{ file: instances, name: "a statement about an earlier process" }],
  },
  {
    id: "statement-signed",
    rule: "A statement counts only under our own key.",
    broken: "anybody's does",
    file: `${ENGINE}/instance-watch.ts`,
    find: '(await signatures.verifyAll([request], "consensus"));',
    replace: "request !== null && signatures !== null;",
    tests: [{ file: instances, name: "a statement under another key" }],
  },
  {
    id: "overlap-proven",
    rule: "Two processes lived at once only if each signed the other's bytes.",
    broken: "one statement is enough",
    file: `${ENGINE}/instance-witness.ts`,
    find: "          second.statements.some((one) => isAbout(one, second.instance, first.instance)),",
    replace: "          true,",
    tests: [{ file: instances, name: "takes one statement for no proof" }],
  },
  {
    id: "opened-once",
    rule: "A process opens a database once: asking LevelDB again drops the lock that keeps others out.",
    broken: "LevelDB is asked",
    file: "packages/node/src/storage/held-folders.ts",
    find: "  if (held.has(real)) return null;",
    replace: "",
    tests: [
      {
        file: "packages/node/test/unit/storage.test.ts",
        name: "a second opening in this process costs the first one nothing",
      },
    ],
  },
];
