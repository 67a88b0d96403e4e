import { AppError, defineErrors } from "@credlink/primitives";

/** What a certificate authority refuses or fails with. */
export const caErrors = defineErrors({
  CA_FOLDER_EXISTS: {
    meaning: "The folder for a new authority is there already and not empty.",
    remedy: "Name another folder; an authority is never overwritten.",
  },
  CA_FOLDER_UNKNOWN: {
    meaning: "The folder holds no authority, a half-made one, or one of another format version.",
    remedy: "Name the folder given to `credlink ca init`; remove what an interrupted one left.",
  },
  CA_FOLDER_OPEN: {
    meaning: "The authority's folder belongs to another user, or others may enter it.",
    remedy: "Run as the user who owns the folder; chmod 700 it.",
  },
  CA_SECRET_FILE_OPEN: {
    meaning: "A password or code file belongs to another user, is open to others, or is a link.",
    remedy: "Give the path of the file itself; chown it to the user who runs this, chmod 600 it.",
  },
  CA_SECRET_EMPTY: {
    meaning: "The first line of a password or code file is empty.",
    remedy: "Put the secret into the file's first line.",
  },
  CA_WRITE_FAILED: {
    meaning: "The authority's files cannot be read or written; nothing was answered for the act.",
    remedy:
      "Look at disk, quota and rights; then see `ca list` for what was recorded before repeating.",
  },
  CA_LOCKED: {
    meaning: "Another process worked on the authority's folder for longer than was waited for.",
    remedy: "Repeat it; a lock ends with its process.",
  },
  CA_JOURNAL_DAMAGED: {
    meaning: "The issuance database or the audit file is not what was written: a line was changed.",
    remedy:
      "Stop using the folder; compare it with its backups, see docs/certificate-authority.md.",
  },
  CA_CLOCK_BEHIND: {
    meaning: "The machine's clock is before the last recorded act.",
    remedy: "Set the clock; certificates and lists must not bear times that are over.",
  },
  CA_NOT_ACCEPTED: {
    meaning: "The organisation's CA has no certificate yet, so it cannot act.",
    remedy: "Have the root sign its ca.csr (`ca issue-org`), then `ca accept` the certificate.",
  },
  CA_ALREADY_ACCEPTED: {
    meaning: "The authority has its certificate already.",
    remedy: "For a successor make a new folder with `ca init` and have it certified by `ca renew`.",
  },
  CA_CERTIFICATE_REFUSED: {
    meaning: "The certificate offered is not this CA's: key, organisation, rights or root differ.",
    remedy: "Compare it with ca.csr and the root's fingerprint, told over another channel.",
  },
  CA_KIND_WRONG: {
    meaning: "A root signs organisations' CAs alone, and an organisation's CA members alone.",
    remedy: "Use `issue-org` with the root's folder, `sign-csr` with an organisation's.",
  },
  CA_EXPIRED: {
    meaning: "The authority's own certificate has ended or is not valid yet.",
    remedy: "Replace the CA as docs/certificate-authority.md says.",
  },
  CA_OUTLIVES_ISSUER: {
    meaning: "The certificate asked for would end after the authority's own.",
    remedy: "Ask for fewer days, or replace the CA first.",
  },
  CA_REQUEST_DIFFERS: {
    meaning: "Name, role or organisation in the request are not those that were to be certified.",
    remedy: "Ask its maker; make the request again with the right name, role and organisation.",
  },
  CA_ORGANIZATION_FOREIGN: {
    meaning: "The request names another organisation than the CA's own.",
    remedy: "Send it to the CA of that organisation.",
  },
  CA_NAME_TAKEN: {
    meaning: "A certificate for this name is in force already.",
    remedy: "Renew that one (`ca renew`), or revoke it first.",
  },
  CA_KEY_REUSED: {
    meaning: "The key was certified before, or is the authority's own.",
    remedy: "Make a fresh key for every certificate.",
  },
  CA_CUSTODY_UNACKNOWLEDGED: {
    meaning: "The custody notice was not acknowledged, or not by the holder of the key.",
    remedy: "Read it, then add --acknowledge-custody, or give the holder's --acknowledgement file.",
  },
  CA_SERIAL_UNKNOWN: {
    meaning: "The authority issued no certificate of this serial number.",
    remedy: "See `ca list`; each CA revokes and renews its own alone.",
  },
  CA_ALREADY_REVOKED: {
    meaning: "The certificate is revoked already.",
    remedy: "Nothing to do but to publish the list (`ca crl`); a new one needs `sign-csr`.",
  },
  CA_ALREADY_RENEWED: {
    meaning: "The certificate was renewed already, for another key.",
    remedy: "Renew the newer certificate; if its key is lost, revoke it and use `sign-csr`.",
  },
  CA_CODE_VALIDITY: {
    meaning: "A one-time code was asked to be good for less than a second or over 90 days.",
    remedy: "Give --valid as 30m, 12h or 7d; shorter is better.",
  },
  CA_CODE_REQUIRED: {
    meaning: "No one-time code is open for the name: none was issued, or it ended, or was used up.",
    remedy: "Have the CA's operator issue one: `credlink ca code issue --for NAME`.",
  },
  CA_CODE_WRONG: {
    meaning: "The proof of the one-time code is wrong; after five such the code is dead.",
    remedy: "Compare the code with what the CA's operator told over the other channel.",
  },
  CA_CALL_MALFORMED: {
    meaning: "A call of the CA service is not of the form of docs/protocol/renewal.md.",
    remedy: "Use the same version of the protocol on both sides.",
  },
  CA_CALL_TOO_LARGE: {
    meaning: "A call of the CA service is larger than 64 KiB; it was not read.",
    remedy: "Send a certificate and a request, nothing else.",
  },
  CA_CALL_RATE: {
    meaning: "A network address calls the CA service more often than allowed.",
    remedy: "Wait as long as retryAfterMs says.",
  },
  CA_NONCE_UNKNOWN: {
    meaning: "The nonce was not given out, was used before, or is over a minute old.",
    remedy: "Ask for a challenge and answer it at once.",
  },
  CA_CALLER_UNKNOWN: {
    meaning: "The caller did not prove to hold a certificate of this CA that is in force.",
    remedy: "Renew in time; afterwards, or when revoked, ask the CA's operator (`ca sign-csr`).",
  },
  CA_LIST_MISSING: {
    meaning: "The CA has issued no revocation list yet.",
    remedy: "Issue one: `credlink ca crl`.",
  },
  CA_SERVICE_PORT: {
    meaning: "The CA service cannot listen on the address and port.",
    remedy: "Choose a free port and an address of this machine.",
  },
  CA_SERVICE_FAILED: {
    meaning: "The CA service failed for a reason that it does not tell the caller.",
    remedy: "Read the service's log.",
  },
});

export type CaErrorCode = keyof typeof caErrors;

/** An act of a certificate authority that was refused or failed. */
export class CaError extends AppError<{ readonly code: CaErrorCode }> {
  constructor(code: CaErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
