/** Something to run at a moment of virtual time. */
export interface ScheduledEvent {
  readonly atMs: number;
  /** Breaks ties: what was scheduled first runs first. */
  readonly sequence: number;
  cancelled: boolean;
  readonly run: () => void;
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** Binary heap of events, the earliest on top. */
export class EventHeap {
  readonly #events: ScheduledEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  peek(): ScheduledEvent | undefined {
    return this.#events[0];
  }

  push(event: ScheduledEvent): void {
    const events = this.#events;
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = events[parent];
      if (above === undefined || !isBefore(event, above)) break;
      events[at] = above;
      at = parent;
    }
    events[at] = event;
  }

  pop(): ScheduledEvent | undefined {
    const events = this.#events;
    const top = events[0];
    const last = events.pop();
    if (top === undefined || last === undefined || events.length === 0) return top;
    this.#sink(last);
    return top;
  }

  #sink(event: ScheduledEvent): void {
    const events = this.#events;
    let at = 0;
    for (;;) {
      const left = events[2 * at + 1];
      if (left === undefined) break;
      const right = events[2 * at + 2];
      const useRight = right !== undefined && isBefore(right, left);
      const child = useRight ? right : left;
      if (!isBefore(child, event)) break;
      events[at] = child;
      at = 2 * at + (useRight ? 2 : 1);
    }
    events[at] = event;
  }
}
