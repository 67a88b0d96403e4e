/** Views of the model of traces; runs that go beyond are left out. */
export const VIEWS = 4;

/** Event kinds, as trace.pml numbers them. */
export const KINDS = {
  prepare: 1,
  commit: 2,
  entered: 3,
  proposed: 4,
  wished: 5,
  sentPrepare: 7,
  sentCommit: 8,
  sentViewChange: 9,
  decided: 10,
  crashed: 11,
} as const;

/** One step of a replica. */
export interface Event {
  readonly kind: number;
  readonly node: number;
  readonly view: number;
  /** 1 or 2 for the first or second digest of the height; for `sentViewChange` the claim. */
  readonly value: number;
}

/** What happened at one height, in order. */
export interface Trace {
  /** The primary of each view. */
  readonly primaries: readonly number[];
  readonly events: readonly Event[];
}
