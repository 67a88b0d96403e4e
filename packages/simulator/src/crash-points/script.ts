import { type CrashOutcome, crashOutcomes, type DiskOperation } from "@credlink/testkit";

/** What a machine does to its memory: an operation of its disk, or a batch of its database. */
export type MachineOperation = DiskOperation | "batch";

/** The run that is interrupted: so many blocks of four validators, with view changes on the way. */
export interface CrashScript {
  readonly heights: number;
  /** Heights whose primary is cut off for a while, so that their view changes. */
  readonly viewChangesAt: readonly number[];
}

/** What happens at the operation: power goes, for one or for all, or it fails with a code. */
export type CrashKind =
  | "crash"
  /** Power goes, and a traitor sends old messages of everybody again. */
  | "crash among replays"
  | "crash of all"
  /** Power goes, and again at every operation of the recovery. */
  | "crash twice"
  | "EIO"
  | "ENOSPC"
  /** The restart after a crash meets unreadable sectors. */
  | "read EIO"
  /** The vote log of this moment comes back from a backup when the script is over. */
  | "stale image"
  /** The vote log is gone when the node comes back. */
  | "missing log";

/** One point: the victim's k-th operation on its disk or database, from 1 on, and what then. */
export interface CrashPoint {
  readonly kind: CrashKind;
  readonly operation: number;
  readonly outcome: CrashOutcome;
}

/** Every n-th operation is tried where a point takes many runs or the place says little. */
const SAMPLE = 7;
const WRITES: readonly MachineOperation[] = ["open", "write"];
const CHANGES: readonly MachineOperation[] = [...WRITES, "sync", "syncFolder", "truncate"];

/** A script of so many blocks: a view change in short ones, a second one in long ones. */
export function crashScript(heights: number): CrashScript {
  return { heights, viewChangesAt: heights < 14 ? [2] : [5, 14] };
}

/** Every point of a script whose victim does these operations, calm and among replays. */
export function crashPoints(done: {
  readonly calm: readonly MachineOperation[];
  readonly replayed: readonly MachineOperation[];
}): readonly CrashPoint[] {
  const { calm, replayed } = done;
  const points = (
    kind: CrashKind,
    operations: readonly MachineOperation[],
    outcomes: readonly CrashOutcome[],
    isWanted: (operation: MachineOperation, at: number) => boolean = () => true,
  ): readonly CrashPoint[] =>
    operations.flatMap((operation, at) =>
      isWanted(operation, at)
        ? outcomes.map((outcome): CrashPoint => ({ kind, operation: at + 1, outcome }))
        : [],
    );
  const isSampled = (_: MachineOperation, at: number): boolean => at % SAMPLE === 0;
  return [
    ...points("crash", calm, crashOutcomes),
    ...points("crash among replays", replayed, crashOutcomes),
    ...points("crash of all", calm, ["lost", "kept", "torn"]),
    ...points("crash twice", calm, ["lost", "torn"], isSampled),
    ...points("EIO", calm, ["lost"], (operation) => CHANGES.includes(operation)),
    ...points("ENOSPC", calm, ["lost"], (operation) => WRITES.includes(operation)),
    ...points("read EIO", calm, ["lost"], isSampled),
    ...points("stale image", calm, ["lost"], isSampled),
    ...points("missing log", calm, ["lost"], isSampled),
  ];
}

/** Name of a point, for `--replay`. */
export function pointName({ kind, operation, outcome }: CrashPoint): string {
  return `${kind}/${operation}/${outcome}`;
}
