import type { Genesis, GenesisContract } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { createExecutor } from "../../src/index.ts";
import { assemble, contractOf, manifestOf } from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  createOrganization,
  createRoot,
  DAY_MS,
  GENESIS_MS,
  issue,
  issueFor,
  testParameters,
} from "../support/consortium.ts";

let consortium: Consortium;
let contract: GenesisContract;
beforeAll(async () => {
  consortium = await createConsortium();
  const code = assemble({ functions: [{ name: "main", code: [] }] });
  contract = contractOf(code, manifestOf(["main"]));
});

const make = (changes: Partial<Genesis>) =>
  createExecutor().genesis({ ...consortium.genesis, ...changes });

describe("genesis", () => {
  it("writes organisations, members, validators, parameters and started contracts", () => {
    const chain = new TestChain({ ...consortium.genesis, contracts: [contract] });
    const { validators } = chain.executor.validators(chain.view);
    expect(validators).toEqual(consortium.genesis.validators);
    expect(chain.executor.parameters(chain.view)).toEqual(testParameters);
  });

  it("gives the same writes every time, each key once", () => {
    const first = make({ contracts: [contract] });
    expect(make({ contracts: [contract] })).toEqual(first);
    const names = first.map(({ contract: of, key }) => `${of}/${toHex(key)}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it("accepts members whose certificates start later", async () => {
    const [alpha] = consortium.organizations;
    if (alpha === undefined) throw new Error("no organisation");
    const late = await issue(alpha, "auditor", "late", { notBeforeMs: GENESIS_MS + DAY_MS });
    const members = [...consortium.genesis.members, { certificate: late.certificate.der }];
    expect(() => make({ members })).not.toThrow();
  });

  it("S-8.4-9: refuses a member's certificate of more than 1,096 days by its code", async () => {
    const [alpha] = consortium.organizations;
    if (alpha === undefined) throw new Error("no organisation");
    const members = async (days: number) => [
      ...consortium.genesis.members,
      { certificate: (await issueFor(alpha, days)).certificate.der },
    ];
    const longest = await members(1096);
    const tooLong = await members(1097);
    expect(() => make({ members: longest })).not.toThrow();
    expect(() => make({ members: tooLong })).toThrow("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
  });

  it.each<readonly [string, () => Promise<Partial<Genesis>> | Partial<Genesis>]>([
    ["no root", () => ({ roots: [] })],
    ["bytes for a root", () => ({ roots: [Uint8Array.of(1)] })],
    ["a foreign root", async () => ({ roots: [(await createRoot("other")).authority.der] })],
    [
      "an organisation twice",
      () => ({
        organizations: [...consortium.genesis.organizations, ...consortium.genesis.organizations],
      }),
    ],
    [
      "an organisation under another name",
      async () => {
        const other = await createOrganization(consortium.root, "omega");
        const entry = { name: "psi", authorityCertificate: other.authority.der };
        return { organizations: [...consortium.genesis.organizations, entry] };
      },
    ],
    [
      "a member of no organisation",
      async () => {
        const other = await createOrganization(consortium.root, "omega");
        const member = { certificate: (await issue(other, "admin", "a")).certificate.der };
        return { members: [...consortium.genesis.members, member] };
      },
    ],
    [
      "a member that the organisation's CA did not certify",
      async () => {
        const root = { ...consortium.root, name: "alpha" };
        const member = { certificate: (await issue(root, "admin", "a")).certificate.der };
        return { members: [...consortium.genesis.members, member] };
      },
    ],
    [
      "a member that has expired",
      async () => {
        const [alpha] = consortium.organizations;
        if (alpha === undefined) throw new Error("no organisation");
        const times = { notBeforeMs: GENESIS_MS - 2 * DAY_MS, notAfterMs: GENESIS_MS - DAY_MS };
        const member = { certificate: (await issue(alpha, "admin", "a", times)).certificate.der };
        return { members: [...consortium.genesis.members, member] };
      },
    ],
    [
      "a member twice",
      () => ({
        members: [...consortium.genesis.members, ...consortium.genesis.members.slice(0, 1)],
      }),
    ],
    [
      "a validator that is no member",
      () => ({
        members: consortium.genesis.members.slice(0, 4),
      }),
    ],
    ["three validators", () => ({ validators: consortium.genesis.validators.slice(0, 3) })],
    [
      "a validator twice",
      () => ({
        validators: [...consortium.genesis.validators, ...consortium.genesis.validators],
      }),
    ],
    [
      "a production chain of one",
      () => ({
        validators: consortium.genesis.validators.slice(0, 1),
        allowNonByzantine: true,
        production: true,
      }),
    ],
    [
      "a solo chain for production",
      () => ({
        validators: consortium.genesis.validators.slice(0, 1),
        consensus: "solo" as const,
        production: true,
      }),
    ],
    ["a solo chain of four", () => ({ consensus: "solo" as const })],
    [
      "a solo chain of two, whatever else it permits",
      () => ({
        validators: consortium.genesis.validators.slice(0, 2),
        allowNonByzantine: true,
        consensus: "solo" as const,
      }),
    ],
    [
      "parameters that stop the chain",
      () => ({
        parameters: { ...testParameters, maxBlockTransactions: 0 },
      }),
    ],
    ["a contract twice", () => ({ contracts: [contract, contract] })],
    ["a contract of a built-in's name", () => ({ contracts: [{ ...contract, name: "members" }] })],
    [
      "a contract that is refused",
      () => ({
        contracts: [{ ...contract, code: Uint8Array.of(0) }],
      }),
    ],
  ])("refuses %s", async (_what, change) => {
    const changes = await change();
    const error = attempt(() => make(changes));
    expect(error).toMatchObject({ code: "VM_GENESIS_INVALID" });
  });

  it("permits fewer than four validators for development", () => {
    const validators = consortium.genesis.validators.slice(0, 1);
    expect(() => make({ validators, allowNonByzantine: true })).not.toThrow();
    expect(() => make({ validators, consensus: "solo" })).not.toThrow();
  });
});

function attempt(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
