import { scanSegment, segmentName, voteLogIdentity } from "@credlink/consensus-pbft";
import { VOTE_LOG_FOLDER } from "@credlink/node/engine";
import type { DiskImage, DiskOperation } from "@credlink/testkit";
import type { CrashPoint, CrashScript, MachineOperation } from "./script.ts";
import { CrashWorld, WITH_CHANGED_LOG, WITH_FAILING_DISK } from "./world.ts";

/** What came of one point. */
export interface CrashResult {
  /** First broken invariant, or null. */
  readonly reason: string | null;
  /** Whether the operation came, so that something happened at all. */
  readonly struck: boolean;
  /** Runs that the point took. */
  readonly runs: number;
  /** Processes that ended themselves on a failed operation. */
  readonly fatals: number;
  /** Whether the victim's replica abstained. */
  readonly abstained: boolean;
}

/** Operations after the first crash at which power goes again: the whole recovery and more. */
const RECOVERY: readonly number[] = Array.from({ length: 30 }, (_, at) => at + 1);

/** What the victim does in a run that nobody disturbs. */
export async function countOperations(
  script: CrashScript,
  replays: boolean,
): Promise<readonly MachineOperation[]> {
  const world = new CrashWorld(script, { replays, watched: null });
  world.start();
  const isDone = await world.runTo(world.scriptHeight);
  const { failure } = world.cluster;
  if (failure !== null) throw failure;
  if (!isDone) throw new Error("the script does not come to its end without a crash");
  return world.done;
}

/** Runs a script with one point in it; one that crashes twice runs once for each second crash. */
export async function runCrashPoint(
  script: CrashScript,
  point: CrashPoint,
  recovery: readonly number[] = RECOVERY,
): Promise<CrashResult> {
  if (point.kind !== "crash twice") return await runOnce(script, point, null);
  let sum: CrashResult = { reason: null, struck: false, runs: 0, fatals: 0, abstained: false };
  for (const second of recovery) {
    const { struck, ...result } = await runOnce(script, point, second);
    sum = { ...result, struck: sum.struck || struck, runs: sum.runs + 1 };
    if (!struck || sum.reason !== null) break;
  }
  return sum;
}

async function runOnce(
  script: CrashScript,
  point: CrashPoint,
  second: number | null,
): Promise<CrashResult> {
  const { kind } = point;
  const world = new CrashWorld(script, {
    replays: kind === "crash among replays",
    watched: watchedIn(kind),
  });
  const strike = new Strike(world, point, second);
  world.onOperation = (operation, number) => strike.onOperation(operation, number);
  world.start();
  let isDone = await world.runTo(world.scriptHeight);
  if (isDone && strike.image !== null) {
    restore(world, strike);
    isDone = await world.runTo(world.scriptHeight);
  }
  isDone &&= await world.runTo(world.lastHeight);
  return {
    reason: world.cluster.failure?.message ?? judge(world, strike, isDone),
    struck: strike.isOver,
    runs: 1,
    fatals: world.cluster.fatals,
    abstained: world.hasAbstained,
  };
}

/** What the checkers of the cluster cannot know: who must be back, and who must be silent. */
function judge(world: CrashWorld, { expected }: Strike, isDone: boolean): string | null {
  const { victim, hasAbstained, cluster } = world;
  if (!isDone) {
    const heights = cluster.nodes.map(({ engine }) => engine?.status().height ?? "down");
    return `I18: no progress after the crash (heights ${heights.join(", ")})`;
  }
  if (expected === "abstains" && !hasAbstained) {
    return `I5: ${victim.name} votes without its vote log`;
  }
  if (expected === "votes" && hasAbstained) {
    return `I17: ${victim.name} abstains, its log being whole`;
  }
  return null;
}

function watchedIn(kind: CrashPoint["kind"]): readonly string[] | null {
  if (kind === "EIO" || kind === "ENOSPC" || kind === "read EIO") return WITH_FAILING_DISK;
  return kind === "stale image" || kind === "missing log" ? WITH_CHANGED_LOG : null;
}

/**
 * The victim's vote log of an earlier moment comes back. It must be noticed when it lacks a vote
 * above the head; what it lacks of decided heights binds nobody any more.
 */
function restore(world: CrashWorld, strike: Strike): void {
  const { cluster, victim } = world;
  const head = victim.ledger?.head.header.height ?? 0;
  victim.crash("kept");
  const { image } = strike;
  if (image === null) return;
  const now = votesAbove(world, victim.disk.image(), head);
  strike.expected = now > votesAbove(world, image, head) ? "abstains" : "either";
  victim.disk.restore(image);
  cluster.onLogLost(victim);
  victim.boot();
}

/** How many votes above a height a log of the victim holds; its files fit one segment. */
function votesAbove({ cluster, victim }: CrashWorld, image: DiskImage, head: number): number {
  const publicKey = cluster.profile.signers[victim.index]?.publicKey ?? new Uint8Array();
  const identity = voteLogIdentity(cluster.genesisDigest, publicKey);
  const bytes = image.get(`${VOTE_LOG_FOLDER}/${segmentName(1)}`) ?? new Uint8Array();
  const { records } = scanSegment(bytes, { identity, firstLsn: 1, isSealed: false });
  return records.filter(({ record }) => {
    const place = record.type === "commit-voted" ? record.certificate : record;
    return place.height > head;
  }).length;
}

/** What is done to the victim, and when. */
class Strike {
  readonly #world: CrashWorld;
  readonly #point: CrashPoint;
  readonly #second: number | null;
  #struckAt: number | null = null;
  /** Whether everything has happened that the point names. */
  isOver = false;
  expected: "votes" | "abstains" | "either" = "votes";
  image: DiskImage | null = null;

  constructor(world: CrashWorld, point: CrashPoint, second: number | null) {
    this.#world = world;
    this.#point = point;
    this.#second = second;
  }

  onOperation(operation: MachineOperation, number: number): void {
    if (this.#struckAt === null && number === this.#point.operation) {
      this.#struckAt = number;
      this.#strike(operation);
      this.isOver = this.#second === null;
      return;
    }
    const isSecond = number - (this.#struckAt ?? number) === this.#second;
    if (!isSecond || this.isOver) return;
    this.isOver = true;
    this.#crash();
  }

  #crash(): void {
    this.#world.crash([this.#world.victim], this.#point.outcome);
  }

  #strike(operation: MachineOperation): void {
    const { victim, cluster } = this.#world;
    const { disk } = victim;
    switch (this.#point.kind) {
      case "crash":
      case "crash among replays":
      case "crash twice":
        this.#crash();
        return;
      case "crash of all":
        this.#world.crash(cluster.nodes, this.#point.outcome);
        return;
      case "EIO":
      case "ENOSPC":
        if (operation !== "batch")
          disk.failNext(operation satisfies DiskOperation, this.#point.kind);
        return;
      case "read EIO":
        this.#crash();
        disk.failNext("read", "EIO");
        return;
      case "stale image":
        this.image = disk.image();
        return;
      case "missing log":
        this.#lose(victim.ledger?.head.header.height ?? 0);
    }
  }

  /** Loses the vote log; before the first block is stored only peers know that there was one. */
  #lose(head: number): void {
    const { victim, cluster } = this.#world;
    this.#crash();
    for (const path of victim.disk.durablePaths()) {
      if (path.startsWith(VOTE_LOG_FOLDER)) victim.disk.lose(path);
    }
    cluster.onLogLost(victim);
    this.expected = head > 0 ? "abstains" : "either";
  }
}
