import { type Evidence, MAX_EVIDENCE_BYTES } from "@credlink/consensus-pbft/certificates";
import type { Disk, Logger } from "@credlink/primitives";

/** Folder of evidence that waits for a block, on the node's disk. */
export const EVIDENCE_FOLDER = "evidence";

/**
 * Evidence that outlives its finder's process: one small file for each piece. Losing one endangers
 * nobody, and what is read is judged as if a peer had sent it, so faults are logged, no more.
 */
export interface EvidenceFiles {
  load(): Promise<readonly Uint8Array[]>;
  keep(evidence: Evidence, bytes: Uint8Array): void;
  forget(evidence: Evidence): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

function pathOf({ height, sender }: Evidence): string {
  return `${EVIDENCE_FOLDER}/${height}-${sender}.bin`;
}

/** Makes the files of one node. */
export function createEvidenceFiles(disk: Disk, logger: Logger): EvidenceFiles {
  let work: Promise<void> = Promise.resolve();
  const queue = (act: () => Promise<void>): void => {
    work = work.then(act).catch((error: unknown) => {
      logger.warn("evidence file failed", { error });
    });
  };

  const read = async (path: string): Promise<Uint8Array> => {
    const file = await disk.open(path);
    try {
      return await file.read(0, MAX_EVIDENCE_BYTES);
    } finally {
      await file.close();
    }
  };

  return {
    async load() {
      const found: Uint8Array[] = [];
      try {
        for (const name of await disk.list(EVIDENCE_FOLDER)) {
          found.push(await read(`${EVIDENCE_FOLDER}/${name}`));
        }
      } catch (error) {
        logger.warn("evidence file failed", { error });
      }
      return found;
    },
    keep(evidence, bytes) {
      queue(async () => {
        await disk.makeFolder(EVIDENCE_FOLDER);
        const file = await disk.open(pathOf(evidence), { create: true });
        try {
          await file.write(0, bytes);
          await file.truncate(bytes.length);
          await file.sync();
        } finally {
          await file.close();
        }
        await disk.syncFolder(EVIDENCE_FOLDER);
      });
    },
    forget(evidence) {
      queue(() => disk.remove(pathOf(evidence)));
    },
    close: () => work,
  };
}
