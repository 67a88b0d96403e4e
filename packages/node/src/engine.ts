/** Door of the `./engine` export: the engine without the shell that puts it into a process. */
export * from "./engine/index.ts";
