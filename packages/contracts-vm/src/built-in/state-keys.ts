import type { Address } from "@credlink/primitives";
import { rows } from "./rows.ts";

/** State key, under `contracts`, of one installed version: `installedContractCodec` stands there. */
export function installedContractKey(name: string, version: string): Uint8Array {
  return rows.installed(name, version).key;
}

/** State key, under `contracts`, of what organisations declared of a version: `declaredScansCodec`. */
export function declaredScansKey(name: string, version: string): Uint8Array {
  return rows.scans(name, version).key;
}

/** State key, under `contracts`, of all versions of a contract: `contractVersionsCodec`. */
export function contractVersionsKey(name: string): Uint8Array {
  return rows.contractVersions(name).key;
}

/** State key, under `contracts`, of what a contract's state came to: `stateUsageCodec`. */
export function contractUsageKey(name: string): Uint8Array {
  return rows.usage(name).key;
}

/** State key, under `contracts`, of a contract's own quota: `stateUsageCodec`; absent without. */
export function contractQuotaKey(name: string): Uint8Array {
  return rows.quota(name).key;
}

/** State key, under `parameters`, of the parameters in force: `parametersCodec`. */
export function parametersKey(): Uint8Array {
  return rows.parameters.key;
}

/** State key, under `contracts`, of the names of all contracts: `contractNamesCodec`. */
export function contractNamesKey(): Uint8Array {
  return rows.contractNames.key;
}

/** State key, under `oracles`, of the names of all feeds: `feedNamesCodec`. */
export function feedNamesKey(): Uint8Array {
  return rows.feedNames.key;
}

/** State key, under `oracles`, of a feed: `oracleFeedCodec`. */
export function feedKey(name: string): Uint8Array {
  return rows.feed(name).key;
}

/** State key, under `oracles`, of a publisher's last word: `observationCodec`. */
export function observationKey(name: string, publisher: Address): Uint8Array {
  return rows.observation(name, publisher).key;
}
