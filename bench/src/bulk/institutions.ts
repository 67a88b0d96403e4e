import { getMember } from "@credlink/client";
import { openAdminClient } from "../query-measure.ts";
import { enrolInstitution, openClients } from "../setup.ts";
import { askHeld } from "./held.ts";
import { itemsOf } from "./items.ts";
import type { LoadNodes } from "./nodes.ts";
import type { LoadSender } from "./plan.ts";

/** Enrols the institutions and commits what their business rests on, as far as it is not there. */
export async function setUpInstitutions(
  nodes: LoadNodes,
  senders: readonly LoadSender[],
): Promise<void> {
  const { running, genesis } = nodes;
  for (const [index, { key, stream }] of senders.entries()) {
    const admin = await openAdminClient(running.dir, running);
    // Nothing is proven before block 1, and nobody enrolled.
    const { height } = await admin.info();
    if (height === 0 || (await getMember(admin, key.address)) === null) {
      await enrolInstitution(running.dir, running, genesis, index, key);
    }
    const [client] = openClients(running, genesis, key);
    if (client === undefined) throw new Error("there are nodes");
    for (const { place, call } of itemsOf(stream.setUp)) {
      const [isHeld] = await askHeld(client, [place]);
      if (isHeld !== true) await client.execute(call);
    }
  }
}
