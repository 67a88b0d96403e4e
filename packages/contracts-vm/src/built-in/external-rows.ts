import {
  EXTERNAL_NAMES_KEY,
  type ExternalAuthority,
  externalAuthorityCodec,
  externalAuthorityKey,
  externalNamesCodec,
  MAX_EXTERNAL_AUTHORITIES,
  MEMBERS_CONTRACT,
} from "@credlink/ledger";
import {
  type Address,
  bytesUpTo,
  encode,
  fromHex,
  list,
  struct,
  text,
  u32,
  utf8,
} from "@credlink/primitives";
import type { Row } from "./row.ts";
import { type CertificateHolder, certificateHolderCodec, key } from "./rows.ts";

const ZERO = Uint8Array.of(0);

/** A withdrawn authority whose holders are being revoked, and which one is next. */
export interface ExternalSweep {
  readonly name: string;
  readonly next: number;
}

/** Rows about certificate authorities outside the consortium. */
export const externalRows = {
  /** Names of the outside certificate authorities, withdrawn ones included. */
  names: {
    contract: MEMBERS_CONTRACT,
    key: EXTERNAL_NAMES_KEY,
    codec: externalNamesCodec,
  } satisfies Row<readonly string[]>,
  /** `external/` ‖ name: an outside certificate authority. */
  authority: (name: string): Row<ExternalAuthority> => ({
    contract: MEMBERS_CONTRACT,
    key: externalAuthorityKey(name),
    codec: externalAuthorityCodec,
  }),
  /** `external-list/` ‖ name: DER of its last registered list. */
  list: (name: string): Row<Uint8Array> => ({
    contract: MEMBERS_CONTRACT,
    key: key("external-list/", utf8(name)),
    codec: bytesUpTo(128 * 1024),
  }),
  /** `external-serial/` ‖ name ‖ 0 ‖ serial number: who holds the certificate. */
  serial: (name: string, serialNumber: string): Row<CertificateHolder> => ({
    contract: MEMBERS_CONTRACT,
    key: key("external-serial/", utf8(name), ZERO, fromHex(serialNumber)),
    codec: certificateHolderCodec,
  }),
  /** `external-holder/` ‖ name ‖ 0 ‖ u32: the same in the order of enrolment. */
  holder: (name: string, index: number): Row<CertificateHolder> => ({
    contract: MEMBERS_CONTRACT,
    key: key("external-holder/", utf8(name), ZERO, encode(u32, index)),
    codec: certificateHolderCodec,
  }),
  /** `external-of/` ‖ address: the outside authority by whose certificate a member was enrolled. */
  of: (address: Address): Row<string> => ({
    contract: MEMBERS_CONTRACT,
    key: key("external-of/", address),
    codec: text(64),
  }),
  /** Withdrawn authorities whose holders are still to be revoked, and which is the next one. */
  sweeps: {
    contract: MEMBERS_CONTRACT,
    key: utf8("external-sweeps"),
    codec: list(struct({ name: text(64), next: u32 }), MAX_EXTERNAL_AUTHORITIES),
  } satisfies Row<readonly ExternalSweep[]>,
};
