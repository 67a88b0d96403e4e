import { AppError } from "@credlink/primitives";
import { type ConfigSources, loadConfig } from "../config/load.ts";
import { type DoctorFinding, finding } from "./errors.ts";
import { examineIdentity } from "./identity.ts";
import { examineDisk, examineMachine } from "./machine.ts";
import { examineNetwork } from "./network.ts";

/**
 * Looks whether a machine and a node's files meet what a node needs; nothing is changed but a file in
 * the data folder, or in the one above it where there is none yet, written and deleted to time it.
 */
export async function examineNode(sources: ConfigSources): Promise<readonly DoctorFinding[]> {
  const machine = await examineMachine();
  try {
    const config = await loadConfig(sources);
    const subject = sources.file ?? "configuration";
    return [
      ...machine,
      finding("NODE_DOCTOR_CONFIG", "ok", subject, "every key is known and in its range"),
      ...(await examineDisk(config.dataDir)),
      ...(await examineIdentity(config)),
      ...(await examineNetwork(config)),
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const detail = `${error.code}: ${error.message}`;
    const subject = sources.file ?? "configuration";
    return [...machine, finding("NODE_DOCTOR_CONFIG", "error", subject, detail)];
  }
}
