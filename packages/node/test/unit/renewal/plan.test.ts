import { describe, expect, test } from "vitest";
import { dueAtMs, nextStep, type RenewalFacts } from "../../../src/renewal/plan.ts";

const DAY_MS = 86_400_000;
const own = new Uint8Array(65).fill(1);
const fresh = new Uint8Array(65).fill(2);
const lead = { leadMs: 30 * DAY_MS, leadPercent: 33 };
const year = { notBeforeMs: 0, notAfterMs: 365 * DAY_MS };

const facts = (changed: Partial<RenewalFacts>): RenewalFacts => ({
  nowMs: 340 * DAY_MS,
  lead,
  current: { certificate: year, publicKey: own },
  next: null,
  registeredKey: own,
  votingKeys: [own],
  isRefusedAsReplaced: false,
  ...changed,
});
const next = (isCertified: boolean, isAnnounced = false) => ({
  ...{ publicKey: fresh, isCertified, isAnnounced },
});

describe("S-8.4-9: when a certificate is due", () => {
  test.each([
    [365, 30, 33, 335],
    [30, 30, 33, 20.1],
    [1, 30, 50, 0.5],
    [900, 500, 100, 400],
    [400, 500, 100, 0],
  ])("of %d days, %d days or %d %% before: on day %d", (days, leadDays, leadPercent, due) => {
    const validity = { notBeforeMs: 0, notAfterMs: days * DAY_MS };
    const at = dueAtMs(validity, { leadMs: leadDays * DAY_MS, leadPercent });
    expect(at / DAY_MS).toBeCloseTo(due, 6);
  });

  test("rests until the very millisecond", () => {
    const untilMs = 335 * DAY_MS;
    expect(nextStep(facts({ nowMs: untilMs - 1 }))).toEqual({ type: "rest", untilMs });
    expect(nextStep(facts({ nowMs: untilMs }))).toEqual({ type: "make-key" });
  });
});

describe("S-8.4-9: what follows from files and chain", () => {
  test.each([
    ["request", { next: next(false) }],
    ["announce", { next: next(true) }],
    ["announce", { next: next(true, true) }],
    // Peers that refuse say nothing before the chain was told.
    ["announce", { next: next(true), isRefusedAsReplaced: true }],
    ["present-next", { next: next(true, true), isRefusedAsReplaced: true }],
    ["await-handover", { next: next(true, true), registeredKey: fresh }],
    ["switch", { next: next(true, true), registeredKey: fresh, votingKeys: [fresh] }],
    // An observer stands in no list, and switches with the block that took its key.
    ["switch", { next: next(true, true), registeredKey: fresh, votingKeys: [] }],
    ["announce", { next: next(true), registeredKey: null }],
  ] as const)("%s", (type, changed) => {
    expect(nextStep(facts(changed)).type).toBe(type);
  });

  test("a key under way goes on, though the certificate is not due any more", () => {
    expect(nextStep(facts({ nowMs: 0, next: next(false) })).type).toBe("request");
  });
});
