import { type Client, findByIndex, getCredential, tracePage, traceUp } from "@credlink/client";
import { credentialKey } from "@credlink/contracts";
import { createMemoryStore, type KeyValueStore, type Ledger } from "@credlink/ledger";
import { fromHex, noLogger, noMetrics, toHex, utf8 } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCredentialIndex } from "../../src/credential-index/credential-index.ts";
import { indexMetrics } from "../../src/credential-index/metrics.ts";
import { MAX_WALK } from "../../src/credential-index/walk.ts";
import { systemClock } from "../../src/system-clock.ts";
import { type CredentialGateway, openCredentialGateway } from "../support/credential-gateway.ts";
import { createRecordingMetrics } from "../support/recording.ts";

let door: CredentialGateway;
let client: Client;

beforeAll(async () => {
  door = await openCredentialGateway();
  client = door.clientOf("regulator");
});
afterAll(() => door?.close());

function openIndex(store: KeyValueStore, ledger: Ledger) {
  const parts = { clock: systemClock, logger: noLogger, metrics: noMetrics };
  return createCredentialIndex({ store, ledger, ...parts });
}

/** Everything in a store's index, as one text. */
async function contentOf(store: KeyValueStore): Promise<string> {
  const rows = await store.range("index", {});
  return rows.map(([key, value]) => `${toHex(key)} ${toHex(value)}`).join("\n");
}

describe("T-4.4: tracing", () => {
  test("up, the whole graph is proven, its edges with it", async () => {
    const steps = await traceUp(client, door.invoice);
    const types = new Set(steps.map(({ stored }) => stored.record.type));
    for (const type of [
      "identity.individual",
      "contract.service",
      "transaction.settlement",
    ] as const) {
      expect(types).toContain(type);
    }
    const paged = await tracePage(client, door.invoice, { direction: "up", depth: 32, limit: 256 });
    expect(paged.steps.map(({ stored }) => toHex(stored.record.id))).toEqual(
      steps.map(({ stored }) => toHex(stored.record.id)),
    );
    expect(paged.next).toBeNull();
  });

  test("down, pages of any size join to the same walk, which reaches the invoice", async () => {
    const up = await traceUp(client, door.invoice);
    const framework = up.find(({ stored }) => stored.record.type === "contract.framework");
    const root = framework?.stored.record.id ?? new Uint8Array(32);
    const whole = await tracePage(client, root, { direction: "down", depth: 5, limit: 256 });
    const ids = whole.steps.map(({ stored }) => toHex(stored.record.id));
    expect(ids).toContain(toHex(door.invoice));
    expect(ids.length).toBeGreaterThan(10);
    expect(whole.next).toBeNull();
    for (const limit of [1, 7, ids.length - 1, ids.length]) {
      const joined: string[] = [];
      let offset: number | null = 0;
      while (offset !== null) {
        const { height } = whole;
        const asked = { direction: "down", depth: 5, limit, offset, height } as const;
        const page = await tracePage(client, root, asked);
        joined.push(...page.steps.map(({ stored }) => toHex(stored.record.id)));
        offset = page.next;
      }
      expect(joined).toEqual(ids);
    }
  });

  test("children and events come by pages, each once, in the chain's order", async () => {
    const up = await traceUp(client, door.invoice);
    const service = up.find(({ stored }) => stored.record.type === "contract.service");
    const id = toHex(service?.stored.record.id ?? new Uint8Array(32));
    const all = await client.call("credential.children", { id, limit: 256 });
    expect(all.children.length).toBeGreaterThan(1);
    expect(all.next).toBeNull();
    const joined: unknown[] = [];
    let after: string | undefined;
    do {
      const asked = after === undefined ? { id, limit: 1 } : { id, limit: 1, after };
      const page = await client.call("credential.children", asked);
      joined.push(...page.children);
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(joined).toEqual(all.children);
    // As of the block before the last child there is one child less, or more of that block.
    const before = (all.children.at(-1)?.height ?? 1) - 1;
    const earlier = await client.call("credential.children", { id, limit: 256, height: before });
    expect(earlier.height).toBe(before);
    expect(earlier.children).toEqual(all.children.filter(({ height }) => height <= before));

    const history = await client.call("credential.history", { id, limit: 256 });
    const [submitted] = history.events;
    expect(submitted?.topic).toBe("credential.submitted");
    const found = await client.transaction(fromHex(submitted?.transaction ?? "") as never);
    expect(found.status).toBe("committed");
  });

  test("a node that makes up a step, its edge or its place is refused", async () => {
    const up = await traceUp(client, door.invoice);
    const service = up.find(({ stored }) => stored.record.type === "contract.service");
    const root = service?.stored.record.id ?? new Uint8Array(32);
    const stranger = up.find(({ stored }) => stored.record.type === "identity.enterprise");
    const lies: readonly ((steps: Record<string, unknown>[]) => unknown)[] = [
      (steps) => steps.map((step, at) => (at === 1 ? { ...step, depth: 6 } : step)),
      (steps) => steps.map((step, at) => (at === 1 ? { ...step, by: null } : step)),
      (steps) => [...steps, steps[1]],
      (steps) =>
        steps
          .slice(1, 2)
          .map((step) => ({ ...step, by: { from: toHex(door.invoice), relation: "evidence" } })),
      (steps) => [
        ...steps,
        {
          ...steps[1],
          id: toHex(stranger?.stored.record.id ?? root),
          by: { from: toHex(root), relation: "evidence" },
        },
      ],
      (steps) =>
        steps
          .slice(1, 2)
          .map((step) => ({ ...step, by: { from: toHex(root), relation: "evidence" } })),
    ];
    for (const direction of ["up", "down"] as const) {
      for (const [number, lie] of lies.entries()) {
        const liar = door.clientOf("regulator", (url, init) =>
          tamper(url, init, (result) => ({ ...result, steps: lie(result.steps) })),
        );
        await expect(
          tracePage(liar, root, { direction, depth: 5 }),
          `${direction}, lie ${number}`,
        ).rejects.toMatchObject({ code: "CLIENT_RECORD_ALTERED" });
      }
    }
  });

  test("an unknown credential is proven absent; a page too far on is refused", async () => {
    const unknown = new Uint8Array(32).fill(9);
    await expect(tracePage(client, unknown, { direction: "down" })).rejects.toMatchObject({
      code: "CLIENT_CREDENTIAL_UNKNOWN",
    });
    expect(await getCredential(client, unknown)).toBeNull();
    const far = { direction: "down", depth: 1, limit: 1 } as const;
    const last = await tracePage(client, door.invoice, { ...far, offset: MAX_WALK - 1 });
    expect(last).toMatchObject({ steps: [], next: null });
    await expect(
      tracePage(client, door.invoice, { ...far, offset: MAX_WALK }),
    ).rejects.toMatchObject({ code: "API_WALK_TOO_LARGE" });
    const deep = { direction: "down", depth: 33, limit: 1 } as const;
    await expect(tracePage(client, door.invoice, deep)).rejects.toMatchObject({
      code: "CLIENT_PARAMS_INVALID",
    });
  });
});

describe("T-4.8.2-a: the uniqueness index", () => {
  test("says who holds a blinded identifier, or proves that nobody does", async () => {
    const up = await traceUp(client, door.invoice);
    const held = up.filter(({ stored }) => stored.record.indexes.length > 0);
    expect(held.length).toBeGreaterThan(2);
    for (const { stored } of held) {
      for (const entry of stored.record.indexes) {
        const { holder } = await findByIndex(client, entry);
        expect(holder?.stored.record.id).toEqual(stored.record.id);
        const other = { ...entry, keyId: entry.keyId + 1 };
        expect((await findByIndex(client, other)).holder).toBeNull();
        const value = entry.value.slice();
        value[31] = (value[31] ?? 0) ^ 1;
        expect((await findByIndex(client, { ...entry, value })).holder).toBeNull();
      }
    }
  });
});

describe("state.getMany", () => {
  test("proves 1,024 values under one header, present or absent, and refuses one more", async () => {
    const places = Array.from({ length: 1_024 }, (_, at) => ({
      contract: "credential",
      key: at === 0 ? credentialKey(door.invoice) : Uint8Array.of(at >> 8, at & 255),
    }));
    const { values, header } = await client.getStates(places);
    expect(values).toHaveLength(1_024);
    expect(values.filter(({ value }) => value !== null)).toHaveLength(1);
    expect(header.height).toBe(door.chain.ledger.head.header.height);
    const more = [...places, { contract: "credential", key: Uint8Array.of(1) }];
    await expect(client.getStates(more)).rejects.toMatchObject({ code: "CLIENT_PARAMS_INVALID" });
  });

  test("values that were exchanged for each other are refused", async () => {
    const liar = door.clientOf("regulator", async (url, init) => {
      const response = await fetch(url, init);
      if (!String(init.body).includes("state.getMany")) return response;
      const answer = (await response.json()) as { readonly result: { entries: unknown[] } };
      const entries = answer.result.entries.toReversed();
      return Response.json({ ...answer, result: { ...answer.result, entries } });
    });
    const key = credentialKey(door.invoice);
    const places = [key, Uint8Array.of(1)].map((each) => ({ contract: "credential", key: each }));
    await expect(liar.getStates(places)).rejects.toMatchObject({ code: "CLIENT_PROOF_INVALID" });
  });
});

describe("the index", () => {
  test("is the same whether it follows, catches up, or goes on after a restart", async () => {
    const { ledger } = door.chain;
    const whole = createMemoryStore();
    const first = await openIndex(whole, ledger);
    await first.caughtUp(10_000);
    expect(first.height).toBe(ledger.head.header.height);
    await first.stop();

    const half = createMemoryStore();
    const at = Math.floor(ledger.head.header.height / 2);
    const reference = ledger.header(at as never);
    if (reference === null) throw new Error("there is such a block");
    const stopped = await openIndex(half, {
      ...shown(ledger),
      head: reference,
    } as Ledger);
    await stopped.caughtUp(10_000);
    expect(stopped.height).toBe(at);
    await stopped.stop();
    const resumed = await openIndex(half, ledger);
    expect(resumed.height).toBe(at);
    await resumed.caughtUp(10_000);
    expect(await contentOf(half)).toBe(await contentOf(whole));
    await resumed.stop();
  });

  test("of another chain, version or branch is built anew; so is one with a damaged head", async () => {
    const { ledger } = door.chain;
    const store = createMemoryStore();
    const index = await openIndex(store, ledger);
    await index.caughtUp(10_000);
    await index.stop();
    const good = await contentOf(store);
    const row = store.get("metadata", utf8("head")) ?? new Uint8Array(0);
    for (let place = 0; place < row.length; place += 1) {
      const damaged = row.slice();
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      await store.write([{ type: "put", space: "metadata", key: utf8("head"), value: damaged }], {
        sync: false,
      });
      const again = await openIndex(store, ledger);
      expect(again.height, `byte ${place}`).toBe(-1);
      expect(await contentOf(store)).toBe("");
      await again.caughtUp(10_000);
      await again.stop();
      expect(await contentOf(store)).toBe(good);
    }
  });

  test("a failure is tried again at the next block, and hurts nobody else", async () => {
    const { ledger } = door.chain;
    const store = createMemoryStore();
    let isBroken = true;
    const flaky: KeyValueStore = {
      ...store,
      get: (space, key) => store.get(space, key),
      range: (space, options) => store.range(space, options),
      write: (operations, options) =>
        isBroken ? Promise.reject(new Error("disk")) : store.write(operations, options),
    };
    isBroken = false;
    const index = await openIndex(flaky, ledger);
    isBroken = true;
    await index.caughtUp(10_000);
    expect(index.height).toBe(-1);
    isBroken = false;
    await index.caughtUp(10_000);
    expect(index.height).toBe(ledger.head.header.height);
    await index.stop();
  });

  test.each<[string, (ledger: Ledger, gap: number) => Partial<Ledger>]>([
    [
      "receipts that a node does not keep",
      ({ receipts }, gap) => ({
        receipts: async (at) => (at === gap ? null : await receipts(at)),
      }),
    ],
    [
      "receipts that cannot be read",
      ({ receipts }, gap) => ({
        receipts: (at) => (at === gap ? Promise.reject(new Error("damaged")) : receipts(at)),
      }),
    ],
    [
      "a header that a node does not keep",
      ({ header }, gap) => ({ header: (at) => (at >= gap ? null : header(at)) }),
    ],
  ])("stops before %s, says so, and goes on when they are back", async (_, broken) => {
    const { ledger } = door.chain;
    const whole = createMemoryStore();
    const reference = await openIndex(whole, ledger);
    await reference.caughtUp(10_000);
    await reference.stop();
    const { head } = ledger;
    const own: Ledger = { ...shown(ledger), head } as Ledger;
    const gap = head.header.height - 1;
    const parts: Ledger = { ...own, ...broken(own, gap) };
    const store = createMemoryStore();
    const metrics = createRecordingMetrics();
    const behind = { clock: systemClock, logger: noLogger, metrics };
    const index = await createCredentialIndex({ store, ledger: parts, ...behind });
    await index.caughtUp(10_000);
    await index.stop();
    expect(index.height).toBeLessThan(gap);
    expect(metrics.value(indexMetrics.failures, {})).toBe(1);
    const again = await openIndex(store, ledger);
    await again.caughtUp(10_000);
    await again.stop();
    expect(await contentOf(store)).toBe(await contentOf(whole));
  });
});

interface Walked {
  readonly steps: Record<string, unknown>[];
}

/** Changes what a gateway answers to a trace. */
async function tamper(url: string, init: RequestInit, lie: (result: Walked) => object) {
  const response = await fetch(url, init);
  if (!String(init.body).includes("credential.trace")) return response;
  const answer = (await response.json()) as { readonly result: Walked };
  return Response.json({ ...answer, result: lie(answer.result) });
}

/** A ledger's readers by themselves, so that one of them can be replaced. */
function shown(ledger: Ledger) {
  return {
    genesisDigest: ledger.genesisDigest,
    header: (at: Parameters<Ledger["header"]>[0]) => ledger.header(at),
    receipts: (at: Parameters<Ledger["receipts"]>[0]) => ledger.receipts(at),
  };
}
