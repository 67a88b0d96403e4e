import type { MethodResult, Params } from "@credlink/api";
import {
  CREDENTIAL_CONTRACT,
  credentialKey,
  type StoredCredential,
  storedCredentialCodec,
} from "@credlink/contracts";
import { decode, fromHex, type Height, height, toHex } from "@credlink/primitives";
import {
  encodePosition,
  type Position,
  type RowRequest,
} from "../credential-index/credential-index.ts";
import { childrenOf, type WalkRequest, walk } from "../credential-index/walk.ts";
import type { GatewayComponents } from "./context.ts";
import { refuseCall } from "./errors.ts";

type Components = Pick<GatewayComponents, "ledger" | "credentials">;
type PageParams = Params<"credential.children">;

/** How long a call waits for the index to take up the head, milliseconds. */
const CATCH_UP_MS = 2_000;

/** The height that an answer tells of: the one asked for, unless the index is below it. */
async function heightOf({ credentials }: Components, asked: number | undefined): Promise<Height> {
  await credentials.caughtUp(CATCH_UP_MS);
  if (credentials.height < 0) throw refuseCall("API_NOT_FOUND", "the index is still empty");
  return height(Math.min(asked ?? credentials.height, credentials.height));
}

/** One row more than asked for tells whether there is another page. */
async function readPage<T extends Position>(
  components: Components,
  params: PageParams,
  read: (request: RowRequest) => Promise<readonly T[]>,
) {
  const upTo = await heightOf(components, params.height);
  const after = params.after === undefined ? {} : { after: fromHex(params.after) };
  const rows = await read({ id: fromHex(params.id), limit: params.limit + 1, upTo, ...after });
  const shown = rows.slice(0, params.limit);
  const last = rows.length > params.limit ? shown.at(-1) : undefined;
  return { height: upTo, shown, next: last === undefined ? null : toHex(encodePosition(last)) };
}

/** `credential.children` */
export async function credentialChildren(
  components: Components,
  params: PageParams,
): Promise<MethodResult<"credential.children">> {
  const { shown, ...rest } = await readPage(components, params, (request) =>
    components.credentials.children(request),
  );
  const children = shown.map(({ id, type, relation, height: at, index }) => {
    return { id: toHex(id), type, relation, height: at, index };
  });
  return { ...rest, children };
}

/** `credential.history` */
export async function credentialHistory(
  components: Components,
  params: PageParams,
): Promise<MethodResult<"credential.history">> {
  const { shown, ...rest } = await readPage(components, params, (request) =>
    components.credentials.events(request),
  );
  const events = shown.map(({ topic, transactionId, height: at, index }) => {
    return { topic, transaction: toHex(transactionId), height: at, index };
  });
  return { ...rest, events };
}

function readCredential({ ledger }: Components, id: Uint8Array): StoredCredential | null {
  const value = ledger.stateAt(ledger.head.digest)?.get(CREDENTIAL_CONTRACT, credentialKey(id));
  return value === undefined || value === null ? null : decode(storedCredentialCodec, value);
}

/** Neighbours upward: the parents that stand in the record. */
function parentsOf(components: Components): WalkRequest["neighbours"] {
  return async (id) => {
    const parents = readCredential(components, id)?.record.parents ?? [];
    return parents.map((parent) => {
      const type = readCredential(components, parent.id)?.record.type ?? "";
      return { id: parent.id, type, relation: parent.relation };
    });
  };
}

/** `credential.trace` */
export async function credentialTrace(
  components: Components,
  params: Params<"credential.trace">,
): Promise<MethodResult<"credential.trace">> {
  const upTo = await heightOf(components, params.height);
  const id = fromHex(params.id);
  const type = readCredential(components, id)?.record.type;
  if (type === undefined) throw refuseCall("API_NOT_FOUND", `no credential ${params.id}`);
  const isUp = params.direction === "up";
  const page = await walk({
    root: { id, type },
    depth: params.depth,
    offset: params.offset ?? 0,
    limit: params.limit,
    neighbours: isUp ? parentsOf(components) : childrenOf(components.credentials, upTo),
  });
  if (page === null) throw refuseCall("API_WALK_TOO_LARGE");
  const steps = page.steps.map((step) => ({
    id: toHex(step.id),
    type: step.type,
    depth: step.depth,
    by: step.by && { from: toHex(step.by.from), relation: step.by.relation },
  }));
  return { height: upTo, steps, next: page.next };
}
