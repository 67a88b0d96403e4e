import { z } from "zod";
import { apiErrors } from "./errors.ts";
import { rpcErrorKind } from "./json-rpc.ts";
import { methods } from "./methods.ts";

/** An OpenRPC document; `methods` holds the schemas that the gateway itself checks with. */
export interface OpenRPCDocument {
  readonly openrpc: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly methods: readonly OpenRPCMethod[];
}

interface OpenRPCMethod {
  readonly name: string;
  readonly paramStructure: "by-name";
  readonly params: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly schema: unknown;
  }[];
  readonly result: { readonly name: string; readonly schema: unknown };
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  /** Whether the call needs a session token. */
  readonly "x-session": boolean;
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly ObjectSchema[];
}

function toSchema(schema: z.ZodType, io: "input" | "output"): ObjectSchema {
  return z.toJSONSchema(schema, { io }) as ObjectSchema;
}

/** Parameters by name; of a union, those of all its members, required where all require them. */
function describeParams(schema: ObjectSchema): OpenRPCMethod["params"] {
  const members = schema.anyOf ?? [schema];
  const names = new Map<string, unknown>();
  for (const member of members) {
    for (const [name, type] of Object.entries(member.properties ?? {})) names.set(name, type);
  }
  return [...names].map(([name, type]) => ({
    name,
    required: members.every((member) => member.required?.includes(name) === true),
    schema: type,
  }));
}

function describeErrors(): OpenRPCMethod["errors"] {
  const numbers = new Map<number, string[]>();
  for (const code of Object.keys(apiErrors)) {
    const { code: number } = rpcErrorKind(code);
    numbers.set(number, [...(numbers.get(number) ?? []), code]);
  }
  return [...numbers].map(([code, names]) => ({ code, message: names.join(", ") }));
}

/**
 * The OpenRPC 1.3 document of the gateway, made from the schemas it checks with.
 * @see https://spec.open-rpc.org
 */
export function createOpenRPCDocument(version: string): OpenRPCDocument {
  const errors = describeErrors();
  return {
    openrpc: "1.3.2",
    info: { title: "credlink node", version },
    methods: Object.entries(methods).map(([name, method]) => ({
      name,
      paramStructure: "by-name",
      params: describeParams(toSchema(method.params, "input")),
      result: { name: "result", schema: toSchema(method.result, "output") },
      errors,
      "x-session": method.session,
    })),
  };
}
