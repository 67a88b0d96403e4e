/** Makes a trace of a replica that broke a rule out of a good one. */
import { type Event, KINDS, type Trace } from "./trace.ts";

type Change = (events: readonly Event[]) => readonly Event[] | null;

/** The events with one of a kind, found from the end, replaced by others. */
function replace(
  events: readonly Event[],
  fits: (event: Event, at: number) => boolean,
  by: (event: Event) => readonly Event[],
): readonly Event[] | null {
  const at = events.findLastIndex(fits);
  const event = events[at];
  if (event === undefined) return null;
  return [...events.slice(0, at), ...by(event), ...events.slice(at + 1)];
}

const is =
  (kind: number) =>
  (event: Event): boolean =>
    event.kind === kind;
const other = (event: Event): Event => ({ ...event, value: 3 - event.value });

const CHANGES: readonly Change[] = [
  // A second PREPARE, or COMMIT, of the view, for another digest.
  (events) => replace(events, is(KINDS.prepare), (vote) => [vote, other(vote)]),
  (events) => replace(events, is(KINDS.commit), (vote) => [vote, other(vote)]),
  // Something else is sent than what is durable.
  (events) => replace(events, is(KINDS.sentPrepare), (vote) => [other(vote)]),
  (events) => replace(events, is(KINDS.sentCommit), (vote) => [other(vote)]),
  // Sent without a record.
  (events) =>
    replace(
      events,
      (e) => is(KINDS.prepare)(e) && isSent(events, e),
      () => [],
    ),
  (events) =>
    replace(
      events,
      (e) => is(KINDS.commit)(e) && isSent(events, e),
      () => [],
    ),
  // COMMIT before anything was prepared.
  (events) => {
    const vote = events.find(is(KINDS.commit));
    return vote === undefined ? null : [vote, ...events];
  },
  // A VIEW-CHANGE that hides the certificate of its sender.
  (events) =>
    replace(
      events,
      (event) => event.kind === KINDS.sentViewChange && event.value > 0,
      (vote) => [{ ...vote, value: 0 }],
    ),
  // COMMIT in a view that was left: entering comes first.
  (events) =>
    replace(
      events,
      (event) => event.kind === KINDS.commit && entersLater(events, event),
      (vote) => [{ ...vote, kind: KINDS.entered, view: vote.view + 1, value: 0 }, vote],
    ),
  // A view is entered that nobody wished for.
  (events) =>
    events.some(is(KINDS.entered))
      ? events.filter(({ kind }) => kind !== KINDS.wished && kind !== KINDS.sentViewChange)
      : null,
  // Somebody proposes who is not the primary.
  (events) => replace(events, is(KINDS.proposed), (one) => [{ ...one, node: (one.node + 1) % 4 }]),
  // A decision without a certificate.
  (events) => replace(events, is(KINDS.decided), (one) => [other(one)]),
];

/** Events of a vote becoming durable and of its sending are six apart. */
function isSent(events: readonly Event[], vote: Event): boolean {
  return events.some(
    (e) => e.kind === vote.kind + 6 && e.node === vote.node && e.view === vote.view,
  );
}

function entersLater(events: readonly Event[], { node, view }: Event): boolean {
  return events.some((e) => e.kind === KINDS.entered && e.node === node && e.view === view + 1);
}

/** A change that fits the trace, or null when none does. */
export function tamper({ primaries, events }: Trace, dice: () => number): Trace | null {
  const first = Math.floor(dice() * CHANGES.length);
  for (let i = 0; i < CHANGES.length; i++) {
    const changed = CHANGES[(first + i) % CHANGES.length]?.(events) ?? null;
    if (changed !== null) return { primaries, events: changed };
  }
  return null;
}
