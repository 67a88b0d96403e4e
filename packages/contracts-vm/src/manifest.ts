import { type MemberRole, memberRoles } from "@credlink/ledger";
import { bool, type Codec, list, oneOf, struct, text, u32 } from "@credlink/primitives";

/** One method of a contract and who may call it. */
export interface MethodManifest {
  /** Name of the module's export, `() -> ()`. */
  readonly name: string;
  /** A read-only method: state changes trap, and it may be queried without a transaction. */
  readonly readOnly: boolean;
  /**
   * Roles whose members may call it, checked by the host before the call. Empty: no member may;
   * other contracts, which have no role, call such methods and read-only ones.
   */
  readonly roles: readonly MemberRole[];
}

/** What is deployed beside the code and stored on chain with it. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Version of the host interface, 1 now. */
  readonly abi: number;
  /** Declared maximum of linear memory, in pages of 64 KiB, at most 256. */
  readonly maxMemoryPages: number;
  readonly methods: readonly MethodManifest[];
  /** Built-in or other contracts it may call. */
  readonly calls: readonly string[];
}

export const HOST_ABI = 1;

export const manifestCodec: Codec<Manifest> = struct({
  name: text(64),
  version: text(32),
  abi: u32,
  maxMemoryPages: u32,
  methods: list(
    struct({ name: text(64), readOnly: bool, roles: list(oneOf(...memberRoles), 16) }),
    128,
  ),
  calls: list(text(64), 32),
});
