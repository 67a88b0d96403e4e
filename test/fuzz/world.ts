import { readFileSync } from "node:fs";
import {
  addressFromPublicKey,
  type Certificate,
  createCertificate,
  createRevocationList,
  createSelfSignedCertificate,
  createSigningRequest,
  type DistinguishedName,
  publicKeyFromPrivate,
  sm3,
} from "@credlink/crypto";
import { type Address, type Signer, toHex, utf8 } from "@credlink/primitives";
import { createRepeatableSigner } from "./signer.ts";

export const NOW_MS = Date.UTC(2026, 10, 27);
export const DAY_MS = 86_400_000;

/** A certificate and the key behind it. */
export interface Holder {
  readonly certificate: Certificate;
  readonly signer: Signer;
  readonly address: Address;
}

/** A small consortium whose every byte is the same on every run. */
export interface World {
  readonly root: Holder;
  readonly alpha: Holder;
  readonly beta: Holder;
  readonly admin: Holder;
  readonly validator: Holder;
  readonly individual: Holder;
  /** DER. */
  readonly request: Uint8Array;
  readonly emptyList: Uint8Array;
  readonly fullList: Uint8Array;
  /** What other software made: certificates, a request, a list. */
  readonly foreign: { readonly [name: string]: Uint8Array };
}

function keyOf(name: string): Uint8Array {
  const key = sm3(utf8(`fuzz key ${name}`));
  // Far below the order, so that it is a private key.
  key[0] = 0x11;
  return key;
}

const serialOf = (name: string): string => `11${toHex(sm3(utf8(name)).subarray(0, 15))}`;

function subjectOf(commonName: string, organization: string, role: string): DistinguishedName {
  return { commonName, organization, organizationalUnit: role };
}

function holderOf(certificate: Certificate, signer: Signer): Holder {
  return { certificate, signer, address: addressFromPublicKey(signer.publicKey) };
}

async function issue(
  issuer: Holder,
  name: string,
  subject: DistinguishedName,
  authority?: { readonly pathLength: number },
): Promise<Holder> {
  const signer = createRepeatableSigner(keyOf(name));
  const certificate = await createCertificate({
    subject,
    subjectKey: publicKeyFromPrivate(keyOf(name)),
    notBeforeMs: NOW_MS - 10 * DAY_MS,
    notAfterMs: NOW_MS + 300 * DAY_MS,
    serialNumber: serialOf(name),
    issuer: issuer.certificate,
    signer: issuer.signer,
    ...(authority === undefined ? {} : { authority }),
  });
  return holderOf(certificate, signer);
}

async function createRoot(): Promise<Holder> {
  const signer = createRepeatableSigner(keyOf("root"));
  const certificate = await createSelfSignedCertificate({
    subject: subjectOf("Fuzz Root", "consortium", "ca"),
    notBeforeMs: NOW_MS - 100 * DAY_MS,
    notAfterMs: NOW_MS + 3_000 * DAY_MS,
    serialNumber: serialOf("root"),
    authority: { pathLength: 1 },
    signer,
  });
  return holderOf(certificate, signer);
}

function readForeign(): World["foreign"] {
  const folder = new URL("../../packages/crypto/test/vectors/x509-gmssl/", import.meta.url);
  const der = (name: string): Uint8Array => {
    const pem = readFileSync(new URL(name, folder), "latin1");
    return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ""), "base64"));
  };
  return {
    root: der("root.crt"),
    node: der("node1.crt"),
    request: der("node1.csr"),
    list: Uint8Array.from(readFileSync(new URL("org1.crl.der", folder))),
  };
}

export async function createWorld(): Promise<World> {
  const root = await createRoot();
  const ca = { pathLength: 0 };
  const alpha = await issue(root, "alpha", subjectOf("alpha CA", "alpha", "ca"), ca);
  const beta = await issue(root, "beta", subjectOf("beta CA", "beta", "ca"), ca);
  const member = (name: string, role: string) => issue(alpha, name, subjectOf(name, "alpha", role));
  const [admin, validator, individual] = [
    await member("admin", "admin"),
    await member("validator", "validator"),
    await member("individual", "individual"),
  ];
  const list = async (number: number, serials: readonly string[]): Promise<Uint8Array> => {
    const made = await createRevocationList({
      issuer: alpha.certificate,
      signer: alpha.signer,
      thisUpdateMs: NOW_MS - DAY_MS,
      nextUpdateMs: NOW_MS + 30 * DAY_MS,
      number,
      revoked: serials.map((serialNumber) => ({
        serialNumber,
        revokedAtMs: NOW_MS - 2 * DAY_MS,
        reason: "keyCompromise",
      })),
    });
    return made.der;
  };
  const request = await createSigningRequest({
    subject: subjectOf("applicant", "alpha", "enterprise"),
    signer: createRepeatableSigner(keyOf("applicant")),
  });
  return {
    ...{ root, alpha, beta, admin, validator, individual },
    request: request.der,
    emptyList: await list(1, []),
    fullList: await list(2, ["01", "7f", "ff01", individual.certificate.serialNumber]),
    foreign: readForeign(),
  };
}
