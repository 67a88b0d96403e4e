/** What another service of the project takes of a node's shell. */
export { type FolderLock, lockFolder } from "./storage/folder-lock.ts";
export { systemClock } from "./system-clock.ts";
