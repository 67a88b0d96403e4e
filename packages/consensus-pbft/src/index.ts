export * from "./effects.ts";
export * from "./messages.ts";
export * from "./validator-set.ts";
