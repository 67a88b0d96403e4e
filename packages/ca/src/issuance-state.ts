import { type Certificate, parseCertificate } from "@credlink/crypto";
import { invariant, toHex } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import { type IssuanceRecord, type IssuedRevocationReason, issuanceRecord } from "./records.ts";

/** One certificate that the authority issued. */
export interface IssuedCertificate {
  readonly certificate: Certificate;
  /** Serial number of the one that it takes the place of. */
  readonly replaces: string | null;
  /** Id of the one-time code that approved it. */
  readonly code: string | null;
}

export interface RevokedCertificate {
  readonly reason: IssuedRevocationReason;
  readonly atMs: number;
}

export interface IssuedList {
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Digest of its DER, hexadecimal. */
  readonly fingerprint: string;
}

/** A one-time code that approved nothing yet. */
export interface OpenCode {
  readonly id: string;
  /** Hexadecimal: checks proofs of the code. */
  readonly stored: string;
  readonly endsMs: number;
  /** Wrong proofs so far. */
  readonly failures: number;
}

export type CertificateStatus = "valid" | "not-yet-valid" | "expired" | "revoked";

/** What the authority has done, as its issuance database tells it. */
export class IssuanceState {
  readonly #bySerial = new Map<string, IssuedCertificate>();
  readonly #serialOfKey = new Map<string, string>();
  readonly #successors = new Map<string, string>();
  readonly #revoked = new Map<string, RevokedCertificate>();
  /** By the name that it is for; a used one is gone. */
  readonly #codes = new Map<string, OpenCode>();
  #list: IssuedList | undefined;
  #own: Certificate | undefined;

  /** Takes one record in. @throws CaError CA_JOURNAL_DAMAGED */
  apply(entry: unknown): void {
    const parsed = issuanceRecord.safeParse(entry);
    if (!parsed.success) throw new CaError("CA_JOURNAL_DAMAGED", "a record of another form");
    this.#apply(parsed.data);
  }

  #apply(record: IssuanceRecord): void {
    switch (record.type) {
      case "created":
        this.#own = readCertificate(record.certificate);
        return;
      case "issued": {
        const certificate = readCertificate(record.certificate);
        const { serialNumber } = certificate;
        const { replaces, code } = record;
        this.#bySerial.set(serialNumber, { certificate, replaces, code });
        this.#serialOfKey.set(toHex(certificate.subjectKey), serialNumber);
        if (replaces !== null) this.#successors.set(replaces, serialNumber);
        if (code !== null) this.#codes.delete(certificate.subject.commonName);
        return;
      }
      case "revoked":
        this.#revoked.set(record.serialNumber, { reason: record.reason, atMs: record.atMs });
        return;
      case "code": {
        const { id, stored, endsMs } = record;
        this.#codes.set(record.for, { id, stored, endsMs, failures: 0 });
        return;
      }
      case "code-failed":
        for (const [name, code] of this.#codes) {
          if (code.id === record.id) {
            this.#codes.set(name, { ...code, failures: code.failures + 1 });
          }
        }
        return;
      case "list":
        this.#list = record;
    }
  }

  /** The authority's own certificate; undefined until it is accepted. */
  get own(): Certificate | undefined {
    return this.#own;
  }

  /** The newest list. */
  get list(): IssuedList | undefined {
    return this.#list;
  }

  /** All that was issued, in its order. */
  issued(): readonly IssuedCertificate[] {
    return [...this.#bySerial.values()];
  }

  find(serialNumber: string): IssuedCertificate | undefined {
    return this.#bySerial.get(serialNumber);
  }

  /** What was issued for a key, if it ever was. */
  findByKey(publicKey: Uint8Array): IssuedCertificate | undefined {
    const serial = this.#serialOfKey.get(toHex(publicKey));
    return serial === undefined ? undefined : this.#bySerial.get(serial);
  }

  /** What took the place of a certificate. */
  successorOf(serialNumber: string): IssuedCertificate | undefined {
    const successor = this.#successors.get(serialNumber);
    return successor === undefined ? undefined : this.#bySerial.get(successor);
  }

  revocationOf(serialNumber: string): RevokedCertificate | undefined {
    return this.#revoked.get(serialNumber);
  }

  /** The one-time code for a name that was not used, over or not. */
  openCode(name: string): OpenCode | undefined {
    return this.#codes.get(name);
  }

  statusOf({ certificate }: IssuedCertificate, atMs: number): CertificateStatus {
    if (this.#revoked.has(certificate.serialNumber)) return "revoked";
    if (atMs < certificate.notBeforeMs) return "not-yet-valid";
    return atMs < certificate.notAfterMs + 1_000 ? "valid" : "expired";
  }

  /** A certificate in force for a common name that nothing has taken the place of. */
  inForce(commonName: string, atMs: number): IssuedCertificate | undefined {
    return this.issued().find(
      (each) =>
        each.certificate.subject.commonName === commonName &&
        !this.#successors.has(each.certificate.serialNumber) &&
        ["valid", "not-yet-valid"].includes(this.statusOf(each, atMs)),
    );
  }

  /**
   * What a list of now must name: every revoked certificate, until it has stood on one list that
   * was made after its end. @see RFC 5280 §3.3
   */
  toBeListed(): readonly (RevokedCertificate & { readonly serialNumber: string })[] {
    const listedMs = this.#list?.thisUpdateMs ?? 0;
    return [...this.#revoked].flatMap(([serialNumber, revoked]) => {
      const issued = this.#bySerial.get(serialNumber);
      invariant(issued !== undefined, "only what was issued is revoked");
      const isOver = issued.certificate.notAfterMs < listedMs && revoked.atMs < listedMs;
      return isOver ? [] : [{ serialNumber, ...revoked }];
    });
  }
}

function readCertificate(base64: string): Certificate {
  const parsed = parseCertificate(new Uint8Array(Buffer.from(base64, "base64")));
  if (!parsed.ok) throw new CaError("CA_JOURNAL_DAMAGED", `a certificate: ${parsed.code}`);
  return parsed.value;
}
