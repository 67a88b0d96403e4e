import { z } from "zod";
import { configSchema } from "./schema.ts";

/** One leaf of the schema: what docs, environment and flags need to know of it. */
export interface Setting {
  /** Dotted name, as in the file and in flags. */
  readonly key: string;
  readonly kind: "text" | "number" | "boolean" | "list";
  readonly nullable: boolean;
  readonly required: boolean;
  readonly isPath: boolean;
  readonly default: unknown;
  readonly description: string;
  /** Name of its environment variable. */
  readonly variable: string;
  /** For people: `integer 1 to 10`, `one of a, b`. */
  readonly range: string;
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly path?: boolean;
}

/** `p2p.handshakeTimeoutMs` → `CREDLINK_P2P_HANDSHAKE_TIMEOUT_MS`. */
export function variableOf(key: string): string {
  const words = key.replaceAll(".", "_").replace(/([a-z])([A-Z])/g, "$1_$2");
  return `CREDLINK_${words.toUpperCase()}`;
}

function kindOf(schema: Schema): Setting["kind"] {
  if (schema.type === "array") return "list";
  if (schema.type === "boolean") return "boolean";
  return schema.type === "integer" || schema.type === "number" ? "number" : "text";
}

function rangeOf(schema: Schema): string {
  const kind = kindOf(schema);
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (kind === "number") return `integer ${schema.minimum ?? ""} to ${schema.maximum ?? ""}`;
  if (kind === "boolean") return "true or false";
  const isPath = schema.path === true || schema.items?.path === true;
  if (kind === "list") return isPath ? "list of paths" : "list of text";
  return isPath ? "path" : "text";
}

function toSetting(key: string, schema: Schema, required: boolean): Setting {
  const inner = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  const nullable = inner !== schema;
  return {
    key,
    kind: kindOf(inner),
    nullable,
    required: required && schema.default === undefined,
    isPath: inner.path === true || inner.items?.path === true,
    default: schema.default,
    description: schema.description ?? inner.description ?? "",
    variable: variableOf(key),
    range: nullable ? `${rangeOf(inner)}, or null` : rangeOf(inner),
  };
}

function* walk(schema: Schema, prefix: string): Generator<Setting> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    if (child.properties !== undefined) yield* walk(child, key);
    else yield toSetting(key, child, schema.required?.includes(name) ?? false);
  }
}

/** Every setting, in the order of the schema. */
export const settings: readonly Setting[] = Object.freeze([
  ...walk(z.toJSONSchema(configSchema, { io: "input" }) as Schema, ""),
]);

/** Sections and top-level keys, for messages and for telling our variables from others'. */
export const sections: readonly string[] = Object.keys(configSchema.shape);
