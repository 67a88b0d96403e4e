export * from "./block.ts";
export * from "./built-in-calls.ts";
export * from "./executor.ts";
export * from "./genesis.ts";
export * from "./member.ts";
export * from "./receipt.ts";
export * from "./store.ts";
export * from "./transaction.ts";
