import {
  certificateToPem,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
} from "@credlink/crypto";
import { type IdentityEvidence, identityEvidenceDigest } from "@credlink/ledger";
import { address, digest, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  evidenceDigest,
  findEvidence,
  readEvidence,
  type SeenEvidence,
  seeEvidence,
} from "../../src/index.ts";

const NOW_MS = Date.UTC(2026, 10, 27);
const DAY_MS = 86_400_000;

async function certificatePem(notAfterMs: number): Promise<string> {
  const certificate = await createSelfSignedCertificate({
    subject: { commonName: "company", organization: "o", organizationalUnit: "enterprise" },
    notBeforeMs: NOW_MS - 10 * DAY_MS,
    notAfterMs,
    authority: { pathLength: 0 },
    signer: createSm2Signer(generateKeyPair().privateKey),
  });
  return certificateToPem(certificate);
}

describe("S-11.4-2a: evidence of an identity", () => {
  it.each<[SeenEvidence["kind"], string, string]>([
    ["identity-card", " 11010519491231002x\n", "11010519491231002X"],
    ["credit-code", "91350100m000100y43", "91350100M000100Y43"],
    ["passport", "L898902C36", "L898902C3"],
    ["passport", "L898902C36UTO7408122F1204159ZE184226B<<<<<10", "L898902C3"],
  ])("%s %s is read in its normal form", (kind, shown, value) => {
    expect(readEvidence(kind, shown, NOW_MS)).toBe(value);
  });

  it.each<[SeenEvidence["kind"], string]>([
    ["identity-card", "110105194912310021"],
    ["identity-card", "11010519491331002X"],
    ["identity-card", "91350100M000100Y43"],
    ["credit-code", "91350100M000100Y44"],
    ["credit-code", "11010519491231002X"],
    ["passport", "L898902C37"],
    ["certificate", "-----BEGIN CERTIFICATE-----"],
  ])("%s %s is refused, and not repeated", (kind, shown) => {
    const read = () => readEvidence(kind, shown, NOW_MS);
    expect(read).toThrowError(expect.objectContaining({ code: "CLIENT_EVIDENCE_INVALID" }));
    expect(read).not.toThrowError(shown);
  });

  it("a certificate counts by its digest while it is valid", async () => {
    const good = await certificatePem(NOW_MS + DAY_MS);
    expect(readEvidence("certificate", good, NOW_MS)).toMatch(/^[0-9a-f]{64}$/);
    const over = await certificatePem(NOW_MS - DAY_MS);
    expect(() => readEvidence("certificate", over, NOW_MS)).toThrowError(
      expect.objectContaining({ code: "CLIENT_EVIDENCE_INVALID" }),
    );
  });

  it("the digest is salted anew each time, and opens with what was kept alone", () => {
    const seen = seeEvidence("identity-card", "11010519491231002X", NOW_MS);
    const again = seeEvidence("identity-card", "11010519491231002X", NOW_MS);
    expect(toHex(evidenceDigest(again))).not.toBe(toHex(evidenceDigest(seen)));
    const piece: IdentityEvidence = {
      kind: "identity-card",
      digest: evidenceDigest(seen),
      verifier: address(new Uint8Array(32).fill(1)),
      verifiedAtMs: NOW_MS,
    };
    expect(findEvidence([piece], seen)).toEqual(piece);
    expect(findEvidence([piece], again)).toBeNull();
    expect(findEvidence([piece], { ...seen, kind: "passport" })).toBeNull();
    expect(findEvidence([{ ...piece, kind: "passport" }], seen)).toBeNull();
    expect(findEvidence([{ ...piece, digest: digest(new Uint8Array(32)) }], seen)).toBeNull();
  });

  it("golden: the digest of one value under one salt", () => {
    const salt = new Uint8Array(32).fill(7);
    const shown = { kind: "identity-card", value: "11010519491231002X" } as const;
    expect(toHex(identityEvidenceDigest(shown, salt))).toBe(
      "df2c095c2b8f810368c56d2eab995691bb4a80c5d591f0f9d32ec40f2d84001a",
    );
  });
});
