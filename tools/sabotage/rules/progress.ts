import type { BrokenRule } from "../rule.ts";
import {
  agreement,
  bounds,
  CORE,
  order,
  restart,
  restarts,
  settings,
  viewChange,
  views,
} from "./places.ts";

/** Messages that are lost or late, timers, and bounds. */
export const progressRules: readonly BrokenRule[] = [
  {
    id: "retransmission",
    rule: "Own votes are sent again until the height is decided.",
    broken: "they are sent once",
    file: `${CORE}/retransmission.ts`,
    find: '    if (message !== undefined) step.effects.push({ type: "broadcast", message });',
    replace: "",
    tests: [
      { file: agreement, name: "known bug 40: all first" },
      { file: viewChange, name: "known bug 11:" },
    ],
  },
  {
    id: "late-answered",
    rule: "Who asks about a decided height is sent its certificate.",
    broken: "nobody answers",
    file: `${CORE}/intake.ts`,
    find: "    answerLate(step, message);",
    replace: "",
    tests: [
      { file: restart, name: "one block missed, nothing else going on" },
      { file: viewChange, name: "known bug 24:" },
      { file: restarts, name: "known bug 60:" },
      { file: views, name: "known bug 14:" },
    ],
  },
  {
    id: "stale-timer",
    rule: "A timer of a view that was left means nothing.",
    broken: "every firing counts",
    file: `${CORE}/replica.ts`,
    find: "  if (!takeFiring(state, timer)) return;",
    replace: "  takeFiring(state, timer);",
    tests: [{ file: restarts, name: "known bug 59:" }],
  },
  {
    id: "idle-timer",
    rule: "Without work no timer of view 0 runs.",
    broken: "it always runs",
    file: `${CORE}/synchroniser.ts`,
    find: "  const active = isActive(step);",
    replace: "  const active = isActive(step) || true;",
    tests: [{ file: settings, name: "known bug 22:" }],
  },
  {
    id: "view-window",
    rule: "Votes are kept for the current view and the two after it.",
    broken: "for every view",
    file: `${CORE}/normal-case.ts`,
    find: "  if (view <= step.state.current.view + VIEWS_AHEAD) return true;",
    replace: "  if (view >= 0) return true;",
    tests: [{ file: bounds, name: "known bug 25:" }],
  },
  {
    id: "idempotent-import",
    rule: "A block that the store confirms again changes nothing.",
    broken: "the height starts anew",
    file: `${CORE}/deciding.ts`,
    find: "  if (input.height < head.height) return;\n  if (input.height === head.height) {",
    replace: "  if (input.height < head.height - 1) {",
    tests: [
      { file: order, name: "known bug 38:" },
      { file: restarts, name: "known bug 27:" },
    ],
  },
];
