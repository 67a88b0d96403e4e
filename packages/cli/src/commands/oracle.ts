import {
  type Client,
  getFeed,
  listFeeds,
  publishObservation,
  removeFeed,
  setFeed,
} from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { fromHex, toHex, utf8 } from "@credlink/primitives";
import type { Command } from "commander";
import { gather, loadCoSigners, withCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, readFileOf } from "../connection.ts";
import { readAddress } from "../credential-draft.ts";
import { CliError } from "../errors.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

type Governed = ConnectionOptions & { readonly coSign: readonly string[] };
type FeedOptions = Governed & {
  readonly publisher: readonly string[];
  readonly maxBytes: number;
  readonly validity: number;
};
type PublishOptions = ConnectionOptions & {
  readonly value?: string;
  readonly hex?: string;
  readonly file?: string;
  readonly at?: string;
};

/** `oracle list | show | register | remove | publish`. */
export function addOracleCommands(program: Command, context: CommandContext): void {
  const oracle = program
    .command("oracle")
    .description("data from outside: feeds that governance admits, and what publishers signed");
  asks<ConnectionOptions>(
    oracle.command("list").description("names of all feeds, proven"),
    context,
    async (client) => {
      const feeds = await listFeeds(client);
      return { value: { feeds, verified: true }, text: feeds.join("\n") };
    },
  );
  asks<ConnectionOptions>(
    oracle
      .command("show")
      .argument("<feed>")
      .description("a feed, and what each of its publishers said last; proven"),
    context,
    async (client, _, [name = ""]) => fieldsOf(await describeFeed(client, name)),
  );
  addRegister(oracle, context);
  asks<Governed>(
    withCoSigners(oracle.command("remove").argument("<feed>")).description(
      "remove a feed; signed by admins of more than half of the organisations",
    ),
    context,
    async (client, { coSign, network }, [name = ""]) => {
      const { id, header } = await removeFeed(client, name, await loadCoSigners(coSign, network));
      return fieldsOf({ feed: name, transaction: toHex(id), height: header.height });
    },
  );
  asks<PublishOptions>(
    oracle
      .command("publish")
      .argument("<feed>")
      .description("say what was seen, as one of the feed's publishers")
      .option("--value <text>", "the observation as text")
      .option("--hex <bytes>", "the observation as hexadecimal bytes")
      .option("--file <file>", "a file whose bytes are the observation")
      .option("--at <time>", "when it was seen (default: now)"),
    context,
    async (client, options, [name = ""]) => {
      const observedAtMs = options.at === undefined ? Date.now() : Date.parse(options.at);
      if (Number.isNaN(observedAtMs)) throw new CliError("CLI_USAGE", `--at ${options.at}`);
      const said = { feed: name, observedAtMs, value: readValue(options) };
      const { id, header } = await publishObservation(client, said);
      return fieldsOf({
        feed: name,
        value: toHex(said.value),
        observedAt: new Date(observedAtMs).toISOString(),
        transaction: toHex(id),
        height: header.height,
        verified: true,
      });
    },
  );
}

function addRegister(oracle: Command, context: CommandContext): void {
  asks<FeedOptions>(
    withCoSigners(
      oracle
        .command("register")
        .argument("<feed>", "[a-z][a-z0-9.-]*, up to 64 characters")
        .description("admit a feed; signed by admins of more than half of the organisations")
        .requiredOption("--publisher <address>", "who may speak; may be repeated", gather)
        .requiredOption("--max-bytes <n>", "most bytes of an observation", wholeNumber)
        .requiredOption("--validity <seconds>", "how old an observation may be", wholeNumber),
    ),
    context,
    async (client, options, [name = ""]) => {
      const feed = {
        feed: name,
        publishers: options.publisher.map(readAddress),
        maxValueBytes: options.maxBytes,
        validityMs: options.validity * 1_000,
      };
      const coSigners = await loadCoSigners(options.coSign, options.network);
      const { id, header } = await setFeed(client, feed, coSigners);
      const sent = { transaction: toHex(id), height: header.height };
      return fieldsOf({ ...(await describeFeed(client, name)), ...sent });
    },
  );
}

/** @throws CliError CLI_OPTIONS_CONFLICT, CLI_USAGE, CLI_FILE_UNREADABLE */
function readValue({ value, hex, file }: PublishOptions): Uint8Array {
  if ([value, hex, file].filter((each) => each !== undefined).length !== 1) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "one of --value, --hex and --file");
  }
  if (value !== undefined) return utf8(value);
  if (file !== undefined) return readFileOf(file);
  if (hex === undefined || !/^(?:[0-9a-fA-F]{2})*$/.test(hex)) {
    throw new CliError("CLI_USAGE", `--hex ${hex} is not hexadecimal`);
  }
  return fromHex(hex);
}

async function describeFeed(client: Client, name: string) {
  const found = await getFeed(client, name);
  if (found === null) throw new CliError("CLI_NOT_FOUND", `feed ${name}`);
  const { feed, publishers, header } = found;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    feed: feed.feed,
    maxBytes: feed.maxValueBytes,
    validitySeconds: feed.validityMs / 1_000,
    publishers: publishers.map(({ publisher, last, isRead }) => ({
      publisher: formatAddress(publisher),
      isRead,
      last: last && {
        value: toHex(last.value),
        observedAt: iso(last.observedAtMs),
        recordedAt: iso(last.recordedAtMs),
      },
    })),
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}
