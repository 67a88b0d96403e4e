import { beforeAll, describe, expect, test } from "vitest";
import {
  type Certificate,
  type ChainInput,
  createRevocationList,
  parseCertificate,
  type Revocation,
  type RevocationList,
  ROLES,
  verifyAuthorityChain,
  verifyCertificateChain,
} from "../../src/index.ts";
import {
  DAY_MS,
  type Holder,
  makeAuthority,
  makeMember,
  makeRoot,
  NOW_MS,
} from "../support/authority.ts";
import { codeOf, good } from "../support/doors.ts";

let root: Holder;
let authority: Holder;
let member: Holder;

beforeAll(async () => {
  root = await makeRoot();
  authority = await makeAuthority(root);
  member = await makeMember(authority);
});

function judge(leaf: Certificate, change: Partial<ChainInput> = {}): string {
  return codeOf(
    verifyCertificateChain({
      leaf,
      intermediates: [authority.certificate],
      roots: [root.certificate],
      revocationLists: [],
      atMs: NOW_MS,
      ...change,
    }),
  );
}

function listOf(
  issuer: Holder,
  revoked: readonly Certificate[],
  change: { thisUpdateMs?: number; nextUpdateMs?: number; number?: number } = {},
  reason: Revocation["reason"] = "keyCompromise",
): Promise<RevocationList> {
  return createRevocationList({
    issuer: issuer.certificate,
    signer: issuer.signer,
    thisUpdateMs: NOW_MS - 1000,
    number: 1,
    revoked: revoked.map(({ serialNumber }) => ({ serialNumber, revokedAtMs: NOW_MS, reason })),
    ...change,
  });
}

describe("who is let in", () => {
  test.each(ROLES)("K1: a %s", async (role) => {
    const subject = { commonName: "m", organization: "云账户", organizationalUnit: role };
    const { certificate } = await makeMember(authority, { subject });
    expect(judge(certificate)).toBe("accepted");
    expect(judge(certificate, { role })).toBe("accepted");
    const other = role === "admin" ? "auditor" : "admin";
    expect(judge(certificate, { role: other })).toBe("CRYPTO_CERTIFICATE_ROLE_WRONG");
    expect(judge(certificate, { role: [other, role] })).toBe("accepted");
  });

  test("a CA is judged as one, and not as a member", () => {
    const context = { intermediates: [], roots: [root.certificate], revocationLists: [] };
    const verified = verifyAuthorityChain({
      authority: authority.certificate,
      ...context,
      atMs: NOW_MS,
    });
    expect(good(verified).organization).toBe("云账户");
    expect(judge(authority.certificate)).toBe("CRYPTO_CERTIFICATE_KEY_USAGE");
    expect(judge(root.certificate)).toBe("CRYPTO_CERTIFICATE_KEY_USAGE");
    const asAuthority = verifyAuthorityChain({
      authority: member.certificate,
      ...context,
      intermediates: [authority.certificate],
      atMs: NOW_MS,
    });
    expect(codeOf(asAuthority)).toBe("CRYPTO_CERTIFICATE_NOT_AUTHORITY");
  });
});

describe("who is refused, each with a code of its own", () => {
  test.each(["", "ca", "Validator", "validators", "root"])("K1: the role '%s'", async (role) => {
    const subject = { commonName: "m", organization: "云账户", organizationalUnit: role };
    const { certificate } = await makeMember(authority, { subject });
    expect(judge(certificate)).toBe("CRYPTO_CERTIFICATE_ROLE_MISSING");
  });

  test("K1: expired and not yet valid, at every link", async () => {
    const late = { atMs: member.certificate.notAfterMs + 1000 };
    expect(judge(member.certificate, late)).toBe("CRYPTO_CERTIFICATE_EXPIRED");
    const early = { atMs: member.certificate.notBeforeMs - 1 };
    expect(judge(member.certificate, early)).toBe("CRYPTO_CERTIFICATE_NOT_YET_VALID");
    const old = await makeAuthority(root, "云账户", { notAfterMs: NOW_MS - 1000 });
    const { certificate } = await makeMember(old);
    const intermediates = [old.certificate];
    expect(judge(certificate, { intermediates })).toBe("CRYPTO_CERTIFICATE_EXPIRED");
  });

  test("K1: another root, even of the same name, and a missing CA", async () => {
    const rogueRoot = await makeRoot();
    const rogue = await makeAuthority(rogueRoot);
    const { certificate } = await makeMember(rogue);
    const intermediates = [rogue.certificate, rogueRoot.certificate];
    expect(judge(certificate, { intermediates })).toBe("CRYPTO_CERTIFICATE_UNKNOWN_ROOT");
    expect(judge(member.certificate, { intermediates: [] })).toBe(
      "CRYPTO_CERTIFICATE_UNKNOWN_ROOT",
    );
    expect(judge(member.certificate, { roots: [] })).toBe("CRYPTO_CERTIFICATE_UNKNOWN_ROOT");
  });

  test("a member that issues", async () => {
    const below = await makeMember(member);
    const intermediates = [authority.certificate, member.certificate];
    expect(judge(below.certificate, { intermediates })).toBe("CRYPTO_CERTIFICATE_NOT_AUTHORITY");
  });

  test("a CA below a CA that allows none", async () => {
    const sub = await makeAuthority(authority);
    const { certificate } = await makeMember(sub);
    const intermediates = [authority.certificate, sub.certificate];
    expect(judge(certificate, { intermediates })).toBe("CRYPTO_CERTIFICATE_PATH_TOO_LONG");
  });

  test("a name of another organisation", async () => {
    const subject = { commonName: "m", organization: "税务局", organizationalUnit: "regulator" };
    const { certificate } = await makeMember(authority, { subject });
    expect(judge(certificate)).toBe("CRYPTO_CERTIFICATE_ORGANIZATION");
    const wide = await makeAuthority(root, "云账户", { authority: { pathLength: 1 } });
    const foreign = await makeAuthority(wide, "税务局");
    const inside = await makeMember(foreign, { subject });
    const intermediates = [wide.certificate, foreign.certificate];
    expect(judge(inside.certificate, { intermediates })).toBe("CRYPTO_CERTIFICATE_ORGANIZATION");
  });

  test("S-9.6-1: every flipped bit of a certificate", () => {
    const { der } = member.certificate;
    const codes = new Map<string, number>();
    for (let bit = 0; bit < 8 * der.length; bit++) {
      const flipped = der.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      const leaf = parseCertificate(flipped);
      const code = leaf.ok ? judge(leaf.value) : leaf.code;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.get("accepted")).toBeUndefined();
    expect(codes.get("CRYPTO_CERTIFICATE_BAD_SIGNATURE")).toBeGreaterThan(100);
    expect(codes.get("CRYPTO_CERTIFICATE_MALFORMED")).toBeGreaterThan(100);
  });
});

describe("revocation", () => {
  test("K1: a listed member and a listed CA", async () => {
    const member1 = await listOf(authority, [member.certificate]);
    expect(judge(member.certificate, { revocationLists: [member1] })).toBe(
      "CRYPTO_CERTIFICATE_REVOKED",
    );
    const ca = await listOf(root, [authority.certificate]);
    expect(judge(member.certificate, { revocationLists: [ca] })).toBe("CRYPTO_CERTIFICATE_REVOKED");
    const empty = await listOf(authority, []);
    expect(judge(member.certificate, { revocationLists: [empty] })).toBe("accepted");
  });

  test("the newest list counts, whatever the order", async () => {
    const old = await listOf(authority, [member.certificate], { thisUpdateMs: NOW_MS - DAY_MS });
    const reason = "removeFromCrl";
    const lifted = await listOf(authority, [member.certificate], { number: 2 }, reason);
    const sameTime = await listOf(authority, [member.certificate], { number: 3 });
    for (const lists of [
      [old, lifted],
      [lifted, old],
    ]) {
      expect(judge(member.certificate, { revocationLists: lists })).toBe("accepted");
    }
    expect(judge(member.certificate, { revocationLists: [sameTime, lifted] })).toBe(
      "CRYPTO_CERTIFICATE_REVOKED",
    );
  });

  test("a stale list, a missing list", async () => {
    const stale = await listOf(authority, [], { nextUpdateMs: NOW_MS - 1000 });
    const revocationLists = [stale];
    const staleCode = "CRYPTO_REVOCATION_LIST_STALE";
    expect(judge(member.certificate, { revocationLists })).toBe(staleCode);
    const required = { requireRevocationLists: true };
    const fresh = await listOf(authority, [], { nextUpdateMs: NOW_MS + DAY_MS });
    const ofRoot = await listOf(root, []);
    expect(judge(member.certificate, { ...required, revocationLists: [fresh, ofRoot] })).toBe(
      "accepted",
    );
    expect(judge(member.certificate, { ...required, revocationLists: [fresh] })).toBe(
      "CRYPTO_REVOCATION_LIST_MISSING",
    );
  });

  test("a list that its issuer did not sign", async () => {
    const { signedBytes } = await listOf(authority, [member.certificate]);
    const signature = await member.signer.sign(signedBytes);
    const forged = { ...(await listOf(authority, [member.certificate])), signature };
    const code = judge(member.certificate, { revocationLists: [forged] });
    expect(code).toBe("CRYPTO_REVOCATION_LIST_BAD_SIGNATURE");
  });

  test("the list of another CA of the same name says nothing", async () => {
    const twin = await makeAuthority(root);
    const list = await listOf(twin, [member.certificate]);
    expect(judge(member.certificate, { revocationLists: [list] })).toBe("accepted");
  });
});
