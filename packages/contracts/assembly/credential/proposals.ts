import {
  answer,
  blockHeight,
  blockTimeMs,
  caller,
  demand,
  input,
  isAscii,
  isEqual32,
  Party,
  Reader,
  revert,
  Signers,
  Slice,
  StateMap,
  taggedSm3,
  Writer,
} from "../sdk/index";
import { isArbitrator, isDecided } from "./arbitration";
import { emitProposal } from "./events";
import { checkCorrection, demandStored, issue, judge, replace } from "./issuing";
import { activeRoleOf } from "./members";
import { loadParents, Parents } from "./parents";
import { neededSigners } from "./parties";
import { proposalKey, readSubmission, Submission } from "./record";
import { Addresses, Consent } from "./signatures";
import { ARBITRATION_VERDICT, roleOf } from "./types";

/*
 * A record that waits for signatures which come in transactions of their own, each from its
 * signer's own node. It is no credential: nothing depends on it, and it has used nothing up.
 */

const MALFORMED = "CREDENTIAL_MALFORMED";
const STATE_MALFORMED = "CREDENTIAL_STATE_MALFORMED";
const RECORD_DOMAIN = "credlink/record/1";
/** A proposal is open this long at most. */
const MAX_OPEN_MS: i64 = 2_678_400_000;
const NAME_BYTES: u32 = 16;

const PROPOSED = "proposed";
const CO_SIGNING = "co-signing";
const DECLINED = "declined";
const WITHDRAWN = "withdrawn";
const LAPSED = "lapsed";

/** State: [[status, height, by, reason | null], until, digest, signers, correction, record]. */
@final
class Proposal {
  status: string = PROPOSED;
  height: i64 = 0;
  by: usize = 0;
  reason: usize = 0;
  untilMs: i64 = 0;
  /** What a party signs: the digest of the record's bytes. */
  digest: usize = 0;
  signers: Addresses = new Addresses();
  /** The credential that the record is to replace, or 0. */
  corrects: usize = 0;
  correctionReason: usize = 0;
  submission: Submission = new Submission();

  get isOpen(): bool {
    return this.status == PROPOSED || this.status == CO_SIGNING;
  }

  save(): void {
    const record = this.submission;
    const writer = new Writer(record.rawLength + 256 + (<usize>this.signers.count << 6));
    writer.list(6);
    writer.list(4);
    writer.ascii(this.status);
    writer.u64(<u64>blockHeight());
    writer.bytes(this.by, 32);
    writer.bytesOrNull(this.reason, 32);
    writer.u64(<u64>this.untilMs);
    writer.bytes(this.digest, 32);
    this.signers.write(writer);
    if (this.corrects == 0) writer.nothing();
    else {
      writer.list(2);
      writer.bytes(this.corrects, 32);
      writer.bytes(this.correctionReason, 32);
    }
    writer.raw(record.raw, record.rawLength);
    StateMap.put(proposalKey(record.id), writer.slice());
    emitProposal(record, this.status, this.by, this.untilMs);
  }
}

function statusOf(name: Slice): string {
  if (isAscii(name.pointer, name.length, PROPOSED)) return PROPOSED;
  if (isAscii(name.pointer, name.length, CO_SIGNING)) return CO_SIGNING;
  return isAscii(name.pointer, name.length, DECLINED) ? DECLINED : WITHDRAWN;
}

function readCorrection(reader: Reader, proposal: Proposal): void {
  if (reader.isNull()) return;
  reader.struct(2);
  proposal.corrects = reader.bytes(32);
  proposal.correctionReason = reader.bytes(32);
}

function loadProposal(id: usize): Proposal | null {
  const bytes = StateMap.get(proposalKey(id));
  if (bytes === null) return null;
  const reader = Reader.of(<Slice>bytes, STATE_MALFORMED);
  const proposal = new Proposal();
  reader.struct(6);
  reader.struct(4);
  proposal.status = statusOf(reader.text(NAME_BYTES));
  proposal.height = reader.u53();
  proposal.by = reader.bytes(32);
  proposal.reason = reader.bytesOrNull(32);
  proposal.untilMs = reader.u53();
  proposal.digest = reader.bytes(32);
  proposal.signers = Addresses.read(reader);
  readCorrection(reader, proposal);
  proposal.submission = readSubmission(reader);
  return proposal;
}

function demandOpen(id: usize): Proposal {
  const found = loadProposal(id);
  if (found === null) revert("CREDENTIAL_UNKNOWN");
  const proposal = <Proposal>found;
  demand(proposal.isOpen, "CREDENTIAL_PROPOSAL_CLOSED");
  demand(blockTimeMs() < proposal.untilMs, "CREDENTIAL_PROPOSAL_LAPSED");
  return proposal;
}

/** Whether this signature is one that the record waits for, or an arbitrator's to a verdict. */
function isWanted(record: Submission, needed: Addresses, address: usize): bool {
  if (needed.has(address)) return true;
  return record.type == ARBITRATION_VERDICT && isArbitrator(address);
}

/** Whether all signatures are there that the type demands. */
function isComplete(record: Submission, parents: Parents, consent: Consent, role: i32): bool {
  const needed = neededSigners(record, parents);
  for (let i = 0; i < needed.count; i++) if (!consent.has(needed.at(i))) return false;
  return record.type != ARBITRATION_VERDICT || isDecided(record, parents, consent, role);
}

/** Issues what everybody signed, judging all of it again; the proposal is no more. */
function activate(proposal: Proposal, consent: Consent, role: i32): void {
  const record = proposal.submission;
  StateMap.remove(proposalKey(record.id));
  if (proposal.corrects == 0) issue(record, consent, role, 0);
  else replace(proposal.corrects, proposal.correctionReason, record, consent, role);
}

/** Adds what this transaction's signers have to add; answers whether there was anything. */
function collect(proposal: Proposal, needed: Addresses, signers: Signers): bool {
  let isNew = false;
  for (let i = 0; i < signers.count; i++) {
    const address = signers.at(i).address;
    if (!isWanted(proposal.submission, needed, address)) continue;
    if (proposal.signers.has(address)) continue;
    demand(proposal.signers.add(address), MALFORMED);
    isNew = true;
  }
  return isNew;
}

/**
 * Args: [record, until (ms), [id, reason] | null]. By the issuer; with the third, the record is
 * to replace the credential of that id. Returns [id, status].
 */
export function propose(): void {
  const reader = Reader.of(input(), MALFORMED);
  const proposal = new Proposal();
  reader.struct(3);
  const record = readSubmission(reader);
  proposal.submission = record;
  proposal.untilMs = reader.u53();
  readCorrection(reader, proposal);
  reader.finish();
  const sender = caller();
  demand(isEqual32(record.issuer, sender.address), "CREDENTIAL_ISSUER_NOT_SENDER");
  const now = blockTimeMs();
  const until = proposal.untilMs;
  demand(until > now && until <= now + MAX_OPEN_MS, "CREDENTIAL_PROPOSAL_TERM");
  const role = roleOf(sender.role);
  const consent = new Consent(new Signers(), new Addresses());
  if (proposal.corrects != 0) checkCorrection(demandStored(proposal.corrects), record);
  const parents = judge(record, consent, role);
  proposal.digest = taggedSm3(RECORD_DOMAIN, new Slice(record.raw, record.rawLength));
  proposal.by = sender.address;
  if (isComplete(record, parents, consent, role)) {
    activate(proposal, consent, role);
    answerStatus(record.id, "active");
    return;
  }
  if (collect(proposal, neededSigners(record, parents), consent.now)) proposal.status = CO_SIGNING;
  proposal.save();
  answerStatus(record.id, proposal.status);
}

function answerStatus(id: usize, status: string): void {
  const writer = new Writer(64);
  writer.list(2);
  writer.bytes(id, 32);
  writer.ascii(status);
  answer(writer.slice());
}

/** Who signed before must still be able to act when the record becomes a credential. */
function checkEarlier(consent: Consent): void {
  for (let i = 0; i < consent.earlier.count; i++) {
    const address = consent.earlier.at(i);
    if (consent.now.has(address)) continue;
    demand(activeRoleOf(address) != 0, "CREDENTIAL_SIGNER_INACTIVE");
  }
}

/** Args: [id, digest of the record]. By a party whose signature is wanted. Returns [id, status]. */
export function sign(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(2);
  const id = reader.bytes(32);
  const digest = reader.bytes(32);
  reader.finish();
  const proposal = demandOpen(id);
  demand(isEqual32(digest, proposal.digest), "CREDENTIAL_PROPOSAL_DIGEST");
  const record = proposal.submission;
  const parents = loadParents(record);
  const signers = new Signers();
  const consent = new Consent(signers, proposal.signers);
  const needed = neededSigners(record, parents);
  const sender = signers.at(0).address;
  demand(isWanted(record, needed, sender), "CREDENTIAL_SIGNER_NOT_WANTED");
  demand(!proposal.signers.has(sender), "CREDENTIAL_ALREADY_SIGNED");
  const role = activeRoleOf(record.issuer);
  if (isComplete(record, parents, consent, role)) {
    demand(role != 0, "CREDENTIAL_SIGNER_INACTIVE");
    checkEarlier(consent);
    activate(proposal, consent, role);
    answerStatus(id, "active");
    return;
  }
  collect(proposal, needed, signers);
  proposal.status = CO_SIGNING;
  proposal.by = sender;
  proposal.save();
  answerStatus(id, CO_SIGNING);
}

function end(proposal: Proposal, status: string, by: Party, reason: usize): void {
  proposal.status = status;
  proposal.by = by.address;
  proposal.reason = reason;
  proposal.save();
  answerStatus(proposal.submission.id, status);
}

/** Args: [id, digest of the reason]. By a party whose signature is wanted. Returns [id, status]. */
export function decline(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(2);
  const id = reader.bytes(32);
  const reason = reader.bytes(32);
  reader.finish();
  const proposal = demandOpen(id);
  const record = proposal.submission;
  const sender = caller();
  const needed = neededSigners(record, loadParents(record));
  // One arbitrator of several who disagrees does not end a verdict: he does not sign it.
  demand(needed.has(sender.address), "CREDENTIAL_SIGNER_NOT_WANTED");
  end(proposal, DECLINED, sender, reason);
}

/** Args: [id]. By the issuer. Returns [id, status]. */
export function withdraw(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  const proposal = demandOpen(id);
  const sender = caller();
  demand(isEqual32(proposal.submission.issuer, sender.address), "CREDENTIAL_NOT_ISSUER");
  end(proposal, WITHDRAWN, sender, 0);
}

/** Args: [id]. Returns the proposal as the state keeps it. */
export function proposal(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  const bytes = StateMap.get(proposalKey(id));
  if (bytes === null) revert("CREDENTIAL_UNKNOWN");
  answer(<Slice>bytes);
}

/** How a proposal stands, for `status`; null when there is none. */
@final
export class ProposalStanding {
  constructor(
    public type: i32,
    public status: string,
  ) {}
}

export function proposalStanding(id: usize): ProposalStanding | null {
  const found = loadProposal(id);
  if (found === null) return null;
  const proposal = <Proposal>found;
  const hasLapsed = proposal.isOpen && blockTimeMs() >= proposal.untilMs;
  return new ProposalStanding(proposal.submission.type, hasLapsed ? LAPSED : proposal.status);
}
