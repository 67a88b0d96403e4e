import { CheckFailure } from "./checker-errors.ts";

/** T0 at its lower bound, growth and cap of T(v) (docs/protocol/consensus.md §7), milliseconds. */
const LEAST_BASE_MS = 500;
const GROWTH = 1.5;
const CAP_MS = 60_000;

/** The least T(v) that an honest replica may have, milliseconds. */
function leastTimeoutMs(view: number): number {
  return Math.min(LEAST_BASE_MS * GROWTH ** view, CAP_MS);
}

/**
 * View synchronisation (I19): nobody of a healed core leaves a view undecided before all of it
 * were in that view together for T(v), less what messages take. Who decided the height meanwhile
 * ends the question.
 */
export class ViewChecker {
  readonly #slackMs: number;
  readonly #lateMs: number;
  readonly #membersAt: (height: number) => readonly string[];
  /** Node -> where it is. */
  readonly #places = new Map<string, { readonly height: number; readonly view: number }>();
  /** `height/view` -> node -> when it entered, milliseconds; null: before anybody looked. */
  readonly #entries = new Map<string, Map<string, number | null>>();
  readonly #judged = new Set<string>();
  /** Views that were left undecided. */
  left = 0;

  /**
   * @param slackMs what the hops of wishes and of entries may take together.
   * @param lateMs how much later than others a node may come to a height, in view 0.
   * @param membersAt those of the core that are validators of a height.
   */
  constructor(slackMs: number, lateMs: number, membersAt: (height: number) => readonly string[]) {
    this.#slackMs = slackMs;
    this.#lateMs = lateMs;
    this.#membersAt = membersAt;
  }

  /** Where a node is as the watch begins: when it came there is not known. */
  begin(node: string, height: number, view: number): void {
    this.#places.set(node, { height, view });
    this.#enter(node, height, view, null);
  }

  /**
   * A node of the core has made a step and is there now.
   *
   * @throws CheckFailure I19
   */
  onPlace(node: string, height: number, view: number, nowMs: number): void {
    const before = this.#places.get(node);
    if (before?.height === height && before.view === view) return;
    this.#places.set(node, { height, view });
    this.#enter(node, height, view, nowMs);
    if (before?.height === height) this.#judge(node, height, before.view, nowMs);
  }

  #enter(node: string, height: number, view: number, atMs: number | null): void {
    const key = `${height}/${view}`;
    const known = this.#entries.get(key) ?? new Map<string, number | null>();
    this.#entries.set(key, known);
    if (!known.has(node)) known.set(node, atMs);
  }

  /** The first of the core leaves a view. */
  #judge(node: string, height: number, view: number, nowMs: number): void {
    const key = `${height}/${view}`;
    if (this.#judged.has(key)) return;
    this.#judged.add(key);
    let latestMs = Number.NEGATIVE_INFINITY;
    for (const member of this.#membersAt(height)) {
      if ((this.#places.get(member)?.height ?? 0) > height) return;
      const enteredMs = this.#entries.get(key)?.get(member);
      if (enteredMs === null) return;
      latestMs = Math.max(latestMs, enteredMs ?? nowMs);
    }
    this.left++;
    const togetherMs = Math.round(nowMs - latestMs);
    const leastMs = leastTimeoutMs(view) - (view === 0 ? this.#lateMs : this.#slackMs);
    if (togetherMs >= leastMs) return;
    const text = `all were there for ${togetherMs} ms, ${Math.round(leastMs)} at least`;
    throw new CheckFailure("I19", `${node} leaves ${height}/${view}: ${text}`);
  }
}
