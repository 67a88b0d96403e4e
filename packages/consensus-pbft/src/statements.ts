import {
  type Codec,
  digestCodec,
  heightCodec,
  nullable,
  struct,
  union,
  validatorIndexCodec,
} from "@credlink/primitives";
import { justificationCodec, MESSAGE_TAGS, messageFields, signature, viewCodec } from "./codecs.ts";
import type { Commit, Message, PrePrepare, Prepare, ViewChange, Wish } from "./messages.ts";

/** A PRE-PREPARE by its signed part and what justifies it: without the block. */
export type PrePrepareStatement = Omit<PrePrepare, "proposal" | "transactions">;

/**
 * What a validator signed, with the proofs that came along: a message without the block that a
 * PRE-PREPARE carries. It is what the history of consensus is made of.
 */
export type Statement = PrePrepareStatement | Prepare | Commit | Wish | ViewChange;

/** The statement of a message; null for DECIDED, which nobody signs. */
export function statementOf(message: Message): Statement | null {
  if (message.type === "decided") return null;
  if (message.type !== "pre-prepare") return message;
  const { proposal: _proposal, transactions: _transactions, ...statement } = message;
  return statement;
}

/** A statement as [tag, …fields], with the tags of the messages. */
export const statementCodec: Codec<Statement> = union<Statement>({
  "pre-prepare": [
    MESSAGE_TAGS["pre-prepare"],
    struct({
      height: heightCodec,
      view: viewCodec,
      parentDigest: digestCodec,
      digest: digestCodec,
      sender: validatorIndexCodec,
      signature,
      justification: nullable(justificationCodec),
    }),
  ],
  prepare: [MESSAGE_TAGS.prepare, struct(messageFields.vote)],
  commit: [MESSAGE_TAGS.commit, struct(messageFields.vote)],
  wish: [MESSAGE_TAGS.wish, struct(messageFields.wish)],
  "view-change": [MESSAGE_TAGS["view-change"], struct(messageFields.viewChange)],
});
