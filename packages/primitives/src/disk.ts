/**
 * The few file operations that durable code needs, so that the same code runs on a real disk and
 * on the simulator's. Paths are relative to a root that the implementation fixes, `/` between
 * parts. Every method rejects with the platform's error (its `code` is `ENOENT`, `EIO`, …).
 */
export interface Disk {
  /** Opens for reading and writing; creates the file when `create` is set and it is missing. */
  open(path: string, options?: { readonly create?: boolean }): Promise<DiskFile>;
  /** Names in a folder, in ascending order; empty when the folder is missing. */
  list(folder: string): Promise<readonly string[]>;
  makeFolder(folder: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals inside `folder` durable. */
  syncFolder(folder: string): Promise<void>;
}

export interface DiskFile {
  /** Size in bytes. */
  size(): Promise<number>;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Not durable before `sync`. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Makes all earlier writes to this file durable. After a failure the process must exit. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
