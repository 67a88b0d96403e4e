import {
  certifiedUnderCodec,
  certifiedUnderKey,
  type FormerAuthority,
  formerAuthoritiesCodec,
  formerAuthoritiesKey,
  MEMBERS_CONTRACT,
} from "@credlink/ledger";
import type { Address } from "@credlink/primitives";
import type { Row } from "./row.ts";

/** Rows about CAs that followed one another. */
export const authorityRows = {
  /** `former-authorities/` ‖ organisation: CAs that another key followed; absent: none. */
  former: (organization: string): Row<readonly FormerAuthority[]> => ({
    contract: MEMBERS_CONTRACT,
    key: formerAuthoritiesKey(organization),
    codec: formerAuthoritiesCodec,
  }),
  /** `certified-under/` ‖ address: how many CAs the member's followed; absent: none. */
  under: (address: Address): Row<number> => ({
    contract: MEMBERS_CONTRACT,
    key: certifiedUnderKey(address),
    codec: certifiedUnderCodec,
  }),
};
