import { KeysError } from "./errors.ts";

/**
 * Which state a key is in, what its kind and state allow, and how states follow one another.
 * @see GM/T 0054-2018 §8 (generation, storage, distribution, import, export, use, backup, recovery,
 *   archiving and destruction of keys); the states are those of NIST SP 800-57 part 1 §7.
 */

export const keyKinds = ["member", "node", "authority", "encryption"] as const;
export type KeyKind = (typeof keyKinds)[number];

export const keyStates = ["pre-active", "active", "suspended", "archived", "destroyed"] as const;
export type KeyState = (typeof keyStates)[number];

/** What can be done with the private half of a key. */
export type KeyOperation = "sign" | "decrypt" | "export" | "distribute" | "backup" | "split";

/** How a key gets from one state to another. */
export type KeyTransition = "activate" | "suspend" | "resume" | "archive" | "destroy";

const DAY_MS = 86_400_000;

interface KindRules {
  readonly operations: readonly KeyOperation[];
  /** How long a key may be active, milliseconds. */
  readonly activeMs: number;
}

const YEARS_3_MS = 1_096 * DAY_MS;

/** An authority's key leaves its store in custodians' shares or not at all. */
export const kindRules: Readonly<Record<KeyKind, KindRules>> = {
  member: {
    operations: ["sign", "export", "distribute", "backup", "split"],
    activeMs: YEARS_3_MS,
  },
  node: { operations: ["sign", "export", "distribute", "backup", "split"], activeMs: YEARS_3_MS },
  authority: { operations: ["sign", "split"], activeMs: 20 * 365 * DAY_MS },
  encryption: {
    operations: ["decrypt", "export", "distribute", "backup", "split"],
    activeMs: YEARS_3_MS,
  },
};

/** States in which each operation is allowed. What an archived key sealed can still be opened. */
const allowedIn: Readonly<Record<KeyOperation, readonly KeyState[]>> = {
  sign: ["active"],
  decrypt: ["active", "archived"],
  export: ["pre-active", "active"],
  distribute: ["pre-active", "active"],
  backup: ["pre-active", "active", "suspended", "archived"],
  split: ["pre-active", "active", "suspended", "archived"],
};

/** From which states each transition leads, and to which. Nothing leads out of `destroyed`. */
const transitions: Readonly<
  Record<KeyTransition, { readonly from: readonly KeyState[]; readonly to: KeyState }>
> = {
  activate: { from: ["pre-active"], to: "active" },
  suspend: { from: ["active"], to: "suspended" },
  resume: { from: ["suspended"], to: "active" },
  archive: { from: ["pre-active", "active", "suspended"], to: "archived" },
  destroy: { from: ["pre-active", "active", "suspended", "archived"], to: "destroyed" },
};

function refuseState(name: string, state: KeyState, what: string): KeysError {
  if (state === "destroyed") return new KeysError("KEYS_KEY_DESTROYED", `${name} was destroyed`);
  return new KeysError("KEYS_STATE_FORBIDS", `${name} is ${state}: no ${what}`);
}

/**
 * The state that follows.
 * @throws KeysError KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED
 */
export function nextState(name: string, state: KeyState, transition: KeyTransition): KeyState {
  const { from, to } = transitions[transition];
  if (!from.includes(state)) throw refuseState(name, state, transition);
  return to;
}

/** What is asked about in `checkOperation`. */
export interface OperationSubject {
  readonly name: string;
  readonly kind: KeyKind;
  readonly state: KeyState;
  /** Milliseconds since 1970; null before activation. */
  readonly activeSinceMs: number | null;
}

/**
 * Throws unless kind, state and age allow the operation.
 * @throws KeysError KEYS_KIND_FORBIDS, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED, KEYS_KEY_EXPIRED
 */
export function checkOperation(
  subject: OperationSubject,
  operation: KeyOperation,
  nowMs: number,
): void {
  const { name, kind, state, activeSinceMs } = subject;
  const rules = kindRules[kind];
  if (!rules.operations.includes(operation)) {
    throw new KeysError("KEYS_KIND_FORBIDS", `${name} is of kind ${kind}: no ${operation}`);
  }
  if (!allowedIn[operation].includes(state)) throw refuseState(name, state, operation);
  const isTooOld = activeSinceMs !== null && nowMs > activeSinceMs + rules.activeMs;
  if (operation === "sign" && isTooOld) {
    throw new KeysError("KEYS_KEY_EXPIRED", `${name} is active since ${isoDate(activeSinceMs)}`);
  }
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
