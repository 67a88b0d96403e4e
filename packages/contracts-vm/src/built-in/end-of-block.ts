import { emptySkipList, nextSkipList, type Validator } from "@credlink/consensus-pbft";
import {
  type BlockContext,
  type ExecutionContext,
  evidenceWrites,
  type Member,
  withinAuthority,
} from "@credlink/ledger";
import { encode, equalBytes } from "@credlink/primitives";
import type { StateOverlay } from "../state-overlay.ts";
import { authorityRows } from "./authority-rows.ts";
import { sweepExternalHolders } from "./external-authorities.ts";
import { ownerOfKey } from "./key-owner.ts";
import { readRow, writeRow } from "./row.ts";
import { rows } from "./rows.ts";
import { changesLeft } from "./validator-registry.ts";
import { MIN_VALIDATORS } from "./validators.ts";

/**
 * What follows a block's transactions: contracts' usage and the block's evidence are recorded, holders
 * of a withdrawn authority's certificates are revoked, validators that lapsed leave, and a missed turn is noted.
 */
export function endBlock(state: StateOverlay, block: ExecutionContext): void {
  recordUsage(state);
  sweepExternalHolders(state);
  recordEvidence(state, block);
  removeLapsedValidators(state, block);
  noteTurn(state, block);
}

/** Keeps what contracts' states came to, of those whose transactions changed it. */
function recordUsage(state: StateOverlay): void {
  for (const [name, usage] of state.counted()) {
    const { contract, key, codec } = rows.usage(name);
    const value = encode(codec, usage);
    const before = state.get(contract, key);
    if (before === null || !equalBytes(before, value)) state.set(contract, key, value);
  }
}

/** Keeps the skip-list, which names the primaries from the height after the next one on. */
function noteTurn(state: StateOverlay, { height, turn }: ExecutionContext): void {
  const validatorsAfterNext = readRow(state, rows.validators)?.validators ?? [];
  const before = readRow(state, rows.skipList) ?? emptySkipList;
  const after = nextSkipList(before, { height, ...turn, validatorsAfterNext });
  if (after === before) return;
  writeRow(state, rows.skipList, after);
}

/**
 * Validators whose certificate was revoked or has expired at the block's time leave the list, in
 * its order, at most max(1, f) changes a block; where fewer than four would be left they stay
 * until governance replaces them.
 */
function removeLapsedValidators(state: StateOverlay, block: BlockContext): void {
  const registry = readRow(state, rows.validators);
  if (registry === null) return;
  let left = changesLeft(registry, block.height);
  let validators = registry.validators;
  for (const validator of registry.validators) {
    if (left === 0 || validators.length <= MIN_VALIDATORS) break;
    const member = ownerOf(validator, state);
    if (member === null || !hasLapsed(member, block.timestampMs)) continue;
    validators = validators.filter((one) => one !== validator);
    left--;
  }
  if (validators === registry.validators) return;
  const changed = { ...registry, validators, changedAt: block.height, changesLeft: left };
  writeRow(state, rows.validators, changed);
}

/**
 * Records whom the block's evidence convicts. Nobody is removed for it: that is for governance,
 * which reads it by `validators.evidence`.
 */
function recordEvidence(state: StateOverlay, block: ExecutionContext): void {
  for (const { contract, key, value } of evidenceWrites(block)) state.set(contract, key, value);
}

function ownerOf({ publicKey }: Validator, state: StateOverlay): Member | null {
  const member = ownerOfKey(publicKey, (row) => readRow(state, row));
  if (member === null) return null;
  return withinAuthority(member, {
    formerAuthorities: (organization) => readRow(state, authorityRows.former(organization)),
    certifiedUnder: (address) => readRow(state, authorityRows.under(address)),
  });
}

function hasLapsed(member: Member, nowMs: number): boolean {
  return member.status === "revoked" || member.status === "left" || member.validToMs <= nowMs;
}
