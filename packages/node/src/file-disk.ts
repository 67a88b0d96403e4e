import { constants, type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { type Disk, type DiskFile, invariant } from "@credlink/primitives";

class RealFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const size = await this.size();
    const wanted = Math.max(0, Math.min(length, size - offset));
    const bytes = new Uint8Array(wanted);
    let done = 0;
    while (done < wanted) {
      const { bytesRead } = await this.#handle.read(bytes, done, wanted - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const rest = bytes.length - done;
      const { bytesWritten } = await this.#handle.write(bytes, done, rest, offset + done);
      done += bytesWritten;
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
  }

  // fdatasync also makes the size durable when it changed, which is all that reading needs.
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The machine's own disk below `root`, which is created when it is missing. */
export async function createFileDisk(root: string): Promise<Disk> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const place = (path: string): string => {
    const inner = normalize(path);
    invariant(!inner.startsWith("..") && !inner.startsWith(sep), "a path stays below the root");
    return join(root, inner);
  };
  return {
    async open(path, options = {}) {
      const flags = constants.O_RDWR | (options.create === true ? constants.O_CREAT : 0);
      return new RealFile(await open(place(path), flags, 0o600));
    },
    async list(folder) {
      try {
        return (await readdir(place(folder))).sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    async makeFolder(folder) {
      await mkdir(place(folder), { recursive: true, mode: 0o700 });
    },
    rename: (from, to) => rename(place(from), place(to)),
    remove: (path) => rm(place(path)),
    async syncFolder(folder) {
      const handle = await open(place(folder), constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
