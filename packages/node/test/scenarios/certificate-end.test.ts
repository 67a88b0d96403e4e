import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateToPem, createCertificate } from "@credlink/crypto";
import { noLogger } from "@credlink/primitives";
import { afterEach, expect, test } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { logIn } from "../support/admin-calls.ts";
import { HOUR_MS } from "../support/consortium.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const running: RunningNode[] = [];
const folders: NodeFolders[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()));
  await Promise.all(folders.splice(0).map((each) => each.remove()));
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

test("S-8.4-9: on an idle chain a peer is cut when its certificate ends, without a block", async () => {
  const made = await createNodeFolders(2);
  folders.push(made);
  const [first, second] = made.nodes;
  if (first === undefined || second === undefined) throw new Error("no nodes");
  const logger = createRecordingLogger();
  const node = await startNode(first.config(), { logger });
  running.push(node);
  const caller = await logIn(made, node.addresses.rpc);
  const peers = async (): Promise<number> => {
    const { peers: known } = (await caller.call("node.status")).result ?? {};
    return Array.isArray(known) ? known.length : 0;
  };
  const p2p = { listen: ["/ip4/127.0.0.1/tcp/0"], peers: [...node.addresses.p2p] };
  // A machine may be so busy that the certificate ends before its node is there: then a longer one.
  for (const seconds of [8, 40, 120]) {
    const notAfterMs = Math.floor(Date.now() / 1_000 + seconds) * 1_000;
    const certificate = await createCertificate({
      subject: second.credential.certificate.subject,
      subjectKey: second.credential.publicKey,
      notBeforeMs: notAfterMs - HOUR_MS,
      notAfterMs,
      issuer: made.authority.certificate,
      signer: made.authority.signer,
    });
    await writeFile(join(second.folder, "node.crt"), certificateToPem(certificate));
    const other = await startNode(second.config({ p2p }), { logger: noLogger });
    running.push(other);
    while ((await peers()) === 0 && Date.now() < notAfterMs) await pause();
    const wasThere = (await peers()) === 1 && Date.now() < notAfterMs;
    while ((await peers()) > 0) await pause();
    if (wasThere) {
      const cutMs = Date.now();
      // The last second counts as a whole.
      expect(cutMs).toBeGreaterThanOrEqual(notAfterMs + 1_000);
      const codes = logger.entries
        .filter(({ message }) => message === "peer cut")
        .map(({ fields }) => fields.code);
      expect(codes).toEqual(["NODE_ADMISSION_EXPIRED"]);
      expect((await caller.call("chain.info")).result).toMatchObject({ height: 0 });
      return;
    }
    await other.stop();
    running.pop();
  }
  throw new Error("the second node was never there in time");
}, 240_000);
