import { createExecutor } from "@credlink/contracts-vm";
import { addressFromPublicKey, formatAddress } from "@credlink/crypto";
import {
  createLedger,
  createMemoryStore,
  keyOwnerKey,
  MEMBERS_CONTRACT,
  memberCodec,
  memberKey,
  type StateView,
} from "@credlink/ledger";
import { addressCodec, encode, height, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeNode, describeReach, type FactsLedger } from "../../../src/control/facts.ts";
import { createCredential, memberOf } from "../../support/consortium.ts";
import { createNodeFolders, type NodeFolders } from "../../support/nodes.ts";

let made: NodeFolders;
let ledger: FactsLedger;

beforeAll(async () => {
  made = await createNodeFolders(4);
  const { genesis } = made;
  ledger = await createLedger({
    store: createMemoryStore(),
    executor: createExecutor(),
    genesis,
  });
});
afterAll(() => made.remove());

function first() {
  const [node] = made.nodes;
  if (node === undefined) throw new Error("four were made");
  return node;
}

function describe(of: FactsLedger, certificate = first().credential.certificate) {
  const addresses = { rpc: "", metrics: "", p2p: [] };
  const self = first().peerId;
  return describeNode({ certificate, ledger: of, self, addresses, startedAtMs: 0 });
}

/** A state in which the node's member took its next key. */
function rotated(view: StateView, old: Uint8Array, next: Uint8Array): StateView {
  const address = addressFromPublicKey(old);
  const member = memberOf(first().credential, "validator");
  const keys = [...member.keys, { fromHeight: height(1), publicKey: next }];
  const rows = new Map([
    [toHex(memberKey(address)), encode(memberCodec, { ...member, keys })],
    [toHex(keyOwnerKey(addressFromPublicKey(next))), encode(addressCodec, address)],
  ]);
  return {
    ...{ height: view.height, digest: view.digest, timestampMs: view.timestampMs },
    root: view.root,
    get: (contract, key, name) =>
      (contract === MEMBERS_CONTRACT ? rows.get(toHex(key)) : undefined) ??
      view.get(contract, key, name),
    range: (...asked) => view.range(...asked),
    loadRange: (...asked) => view.loadRange(...asked),
  };
}

test("S-8.4-0: a node's address is its member's, that of the first key, after its next key too", async () => {
  const { publicKey } = first().credential;
  const address = formatAddress(addressFromPublicKey(publicKey));
  expect(describe(ledger).address).toBe(address);
  const next = await createCredential(made.authority, "node1", "validator");
  const later: FactsLedger = {
    ...{ head: ledger.head, chainId: ledger.chainId, genesisDigest: ledger.genesisDigest },
    validatorsAt: (at) => ledger.validatorsAt(at),
    stateAt: (digest) => {
      const view = ledger.stateAt(digest);
      return view === null ? null : rotated(view, publicKey, next.publicKey);
    },
  };
  expect(describe(later, next.certificate).address).toBe(address);
});

test("S-8.4-4: three of four validators are a quorum; with two a node is partitioned", () => {
  const [self = "", ...others] = made.nodes.map(({ peerId }) => peerId);
  const reach = (count: number) => describeReach(ledger, self, new Set(others.slice(0, count)));
  expect(reach(3)).toMatchObject({ total: 4, quorum: 3, reachable: 4, missing: [] });
  expect(reach(2)).toMatchObject({ reachable: 3, missing: ["node4"], partitioned: false });
  expect(reach(1)).toMatchObject({ reachable: 2, missing: ["node3", "node4"], partitioned: true });
  // An observer counts nobody for itself.
  const observer = describeReach(ledger, "12D3KooWObserver", new Set(others));
  expect(observer).toMatchObject({ reachable: 3, missing: ["node1"], partitioned: false });
});
