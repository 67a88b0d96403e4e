import type { Receipt } from "@credlink/ledger";
import { beforeAll, describe, expect, it } from "vitest";
import { createExecutor, type FormStore } from "../../src/index.ts";
import { NAME, VERSION } from "../support/assembler.ts";
import { MemoryView, TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { storageCall, storageContract } from "../support/storage-contract.ts";

class MemoryForms implements FormStore {
  readonly kept = new Map<string, Uint8Array>();
  readonly refused: string[] = [];
  loads = 0;

  load(name: string): Uint8Array | null {
    this.loads++;
    return this.kept.get(name) ?? null;
  }

  save(name: string, content: Uint8Array): void {
    this.kept.set(name, content);
  }

  refuse(name: string): void {
    this.refused.push(name);
    this.kept.delete(name);
  }
}

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium({ contracts: [storageContract()] });
});

/** A node that starts with what an earlier one kept. */
function start(forms: FormStore) {
  const results: string[] = [];
  const metrics = {
    counter: ({ name }: { readonly name: string }) => ({
      add: (_: number, labels: Readonly<Record<string, string>> = {}) => {
        if (name === "credlink_contracts_vm_modules_total") results.push(labels.result ?? "");
      },
    }),
    gauge: () => ({ set: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
  };
  const chain = new TestChain(consortium.genesis, createExecutor({ forms, metrics }));
  return { chain, results };
}

async function put(chain: TestChain): Promise<Omit<Receipt, "transactionId">> {
  const { transactionId: _, ...receipt } = await chain.run({
    ...{ contract: NAME, version: VERSION, method: "put" },
    args: storageCall.put("key", "value"),
    signers: [consortium.institution.address],
  });
  return receipt;
}

describe("metered forms that outlive a node", () => {
  it("are kept once, given back, and change no receipt", async () => {
    const forms = new MemoryForms();
    const first = start(forms);
    const receipt = await put(first.chain);
    expect(receipt.status).toBe("SUCCESS");
    await put(first.chain);
    expect(first.results).toEqual(["compiled", "cached"]);
    expect([...forms.kept.keys()]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    const second = start(forms);
    expect(await put(second.chain)).toEqual(receipt);
    expect(second.results).toEqual(["restored"]);
    expect(await put(start(new MemoryForms()).chain)).toEqual(receipt);
  });

  it("S-9.9-1e: are refused and derived anew where they are not the form of their name", async () => {
    const forms = new MemoryForms();
    const receipt = await put(start(forms).chain);
    const [[name = "", content = new Uint8Array(0)] = []] = [...forms.kept];
    const damaged = [
      new Uint8Array(0),
      content.slice(0, -1),
      content.slice(1),
      // The version, the schedule, the code's digest and the manifest's.
      ...[1, 2, 10, 50].map((at) => content.map((byte, place) => (place === at ? byte ^ 1 : byte))),
    ];
    for (const [index, bytes] of damaged.entries()) {
      forms.kept.set(name, bytes);
      const node = start(forms);
      expect(await put(node.chain), `damage ${index}`).toEqual(receipt);
      expect(node.results).toEqual(["compiled"]);
      expect(forms.refused).toHaveLength(index + 1);
      expect(forms.kept.get(name)).toEqual(content);
    }
  });

  it("S-9.9-1e: stored code or a stored manifest that was altered is never run", async () => {
    for (const prefix of ["code/", "manifest/"]) {
      const { chain } = start(new MemoryForms());
      const changed = [...chain.view.rows].map(([name, { key, value }]) => {
        const isIt = Buffer.from(key).toString("latin1").startsWith(prefix);
        const last = value.length - 1;
        const altered = value.map((byte, at) => (at === last ? byte ^ 1 : byte));
        return [name, { key, value: isIt ? altered : value }] as const;
      });
      chain.view = new MemoryView(0, chain.timeMs, changed, []);
      await expect(put(chain)).rejects.toMatchObject({ code: "VM_STATE_CORRUPT" });
    }
  });

  it("have other names for other code", async () => {
    const forms = new MemoryForms();
    await put(start(forms).chain);
    const other = storageContract("other");
    const chain = new TestChain(
      { ...consortium.genesis, contracts: [other] },
      createExecutor({ forms }),
    );
    await chain.run({
      ...{ contract: "other", version: VERSION, method: "put" },
      args: storageCall.put("key", "value"),
      signers: [consortium.institution.address],
    });
    expect(forms.kept.size).toBe(2);
  });
});
