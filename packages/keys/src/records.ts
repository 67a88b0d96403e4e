import { taggedSm3 } from "@credlink/crypto";
import { assertNever, toHex } from "@credlink/primitives";
import type { AuditEntry } from "./audit-log.ts";
import { KeysError } from "./errors.ts";
import { type KeyKind, type KeyState, nextState } from "./lifecycle.ts";

/** What a store knows of one key. */
export interface KeyRecord {
  /** SM3 of the public key, 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** From 1; a rotated key's successor has the next one. */
  readonly version: number;
  readonly kind: KeyKind;
  readonly state: KeyState;
  /** 65 bytes as hex. */
  readonly publicKey: string;
  /** Which verb brought it into the store. */
  readonly origin: "generate" | "import" | "recover";
  /** ISO 8601. */
  readonly since: string;
  /** Milliseconds since 1970; null before activation. */
  readonly activeSinceMs: number | null;
}

/** The id of a key: a key has one, whatever its name and wherever it is. */
export function keyIdOf(publicKey: Uint8Array): string {
  return toHex(taggedSm3("credlink/key-id/1", publicKey));
}

/** How a version of a key is called: `NAME.VERSION`. */
export function titleOf(record: Pick<KeyRecord, "name" | "version">): string {
  return `${record.name}.${record.version}`;
}

function recordOf(records: ReadonlyMap<string, KeyRecord>, id: string): KeyRecord {
  const record = records.get(id);
  if (record === undefined) throw new KeysError("KEYS_AUDIT_BROKEN", `${id}: never made`);
  return record;
}

/** What one entry does to the records. @throws KeysError for an entry that no store writes */
export function applyEntry(records: Map<string, KeyRecord>, entry: AuditEntry): void {
  const { event, at } = entry;
  switch (event.action) {
    case "generate":
    case "import":
    case "recover": {
      if (event.action === "recover" && event.isKnown) return;
      const { key: id, name, version, kind, publicKey, action: origin } = event;
      const state = event.action === "recover" ? event.state : "pre-active";
      const activeSinceMs = event.action === "recover" ? event.activeSinceMs : null;
      const record = { id, name, version, kind, publicKey, origin, since: at };
      records.set(id, { ...record, state, activeSinceMs });
      return;
    }
    case "activate":
    case "suspend":
    case "resume":
    case "archive":
    case "destroy": {
      const record = recordOf(records, event.key);
      const state = nextState(titleOf(record), record.state, event.action);
      const activeSinceMs = event.action === "activate" ? Date.parse(at) : record.activeSinceMs;
      records.set(event.key, { ...record, state, activeSinceMs });
      return;
    }
    case "init":
    case "use":
    case "export":
    case "distribute":
    case "backup":
    case "refuse":
    case "repair":
      return;
    default:
      assertNever(event);
  }
}

/** The records that a log leads to. */
export function foldAudit(entries: readonly AuditEntry[]): Map<string, KeyRecord> {
  const records = new Map<string, KeyRecord>();
  for (const entry of entries) applyEntry(records, entry);
  return records;
}

/**
 * The key that a person means: `NAME` (its newest version), `NAME.VERSION`, or an id of which at
 * least 8 digits are given.
 * @throws KeysError KEYS_KEY_UNKNOWN
 */
export function selectKey(records: ReadonlyMap<string, KeyRecord>, selector: string): KeyRecord {
  const all = [...records.values()];
  const byTitle = all.find((record) => titleOf(record) === selector);
  const byName = all
    .filter((record) => record.name === selector)
    .reduce<KeyRecord | undefined>(
      (newest, record) =>
        newest === undefined || record.version > newest.version ? record : newest,
      undefined,
    );
  const isId = /^[0-9a-f]{8,64}$/.test(selector);
  const byId = isId ? all.filter((record) => record.id.startsWith(selector)) : [];
  const found = byTitle ?? byName ?? (byId.length === 1 ? byId[0] : undefined);
  if (found === undefined) throw new KeysError("KEYS_KEY_UNKNOWN", `no key ${selector}`);
  return found;
}
