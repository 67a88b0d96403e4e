import { type Member, memberCodec } from "@credlink/ledger";
import { type Address, decode, encode } from "@credlink/primitives";
import { rows } from "../../src/built-in/rows.ts";
import { MemoryView, type TestChain } from "./chain.ts";

/** A member's record in the chain's state. */
export function readMemberRow({ view }: TestChain, address: Address): Member {
  const row = rows.member(address);
  const value = view.get(row.contract, row.key);
  if (value === null) throw new Error("no such member");
  return decode(memberCodec, value);
}

/** Puts a member into a state that it would take many blocks to reach. */
export function changeMemberRow(chain: TestChain, address: Address, change: Partial<Member>): void {
  const { contract, key } = rows.member(address);
  const value = encode(memberCodec, { ...readMemberRow(chain, address), ...change });
  const { view } = chain;
  chain.view = new MemoryView(view.height, view.timestampMs, view.rows, [{ contract, key, value }]);
}
