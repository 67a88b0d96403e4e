import { defineErrors } from "./errors.ts";

/** What the canonical codec refuses. */
export const primitivesErrors = defineErrors({
  PRIMITIVES_CODEC_TOO_LARGE: {
    meaning: "The encoded value is larger than the limit of its kind.",
    remedy: "Send a smaller value; the limit of each kind stands in docs/protocol.md.",
  },
  PRIMITIVES_CODEC_MALFORMED: {
    meaning: "The bytes are not the msgpack subset of the protocol, or end too early or too late.",
    remedy: "Encode with a credlink client of the same protocol version.",
  },
  PRIMITIVES_CODEC_NOT_CANONICAL: {
    meaning: "The bytes decode, but do not encode back to themselves.",
    remedy: "Use the shortest form of every integer and length, as docs/protocol.md says.",
  },
  PRIMITIVES_CODEC_SCHEMA: {
    meaning: "A field is missing, has another type, or is outside its range.",
    remedy: "Compare the value with its format in docs/protocol.md.",
  },
});
