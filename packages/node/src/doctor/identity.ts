import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@credlink/primitives";
import type { NodeConfig } from "../config/schema.ts";
import { checkAuditFolder } from "../control/audit-files.ts";
import { AUDIT_FOLDER, CONTROL_FOLDER } from "../control/open-control.ts";
import {
  loadGenesis,
  loadOwnIdentity,
  loadRevocationLists,
  readAnchors,
} from "../identity-files.ts";
import { createIdentityJudge } from "../p2p/identity.ts";
import { loadPeerKey, peerIdOf } from "../p2p/peer-key.ts";
import { systemClock } from "../system-clock.ts";
import { atLeast, type DoctorFinding, finding } from "./errors.ts";
import { needs } from "./needs.ts";

const DAY_MS = 86_400_000;

async function examineSecret(path: string): Promise<DoctorFinding> {
  try {
    const { mode, uid } = await stat(path);
    const own = process.getuid?.() ?? uid;
    const rights = `mode ${(mode & 0o777).toString(8)}, user ${uid}`;
    const isSafe = (mode & 0o077) === 0 && uid === own;
    return finding("NODE_DOCTOR_FILE", isSafe ? "ok" : "error", path, rights);
  } catch (error) {
    return finding("NODE_DOCTOR_FILE", "error", path, String(error));
  }
}

/** Key, certificate and its way to a root of genesis, as peers will judge it. */
async function examineCertificate(config: NodeConfig): Promise<readonly DoctorFinding[]> {
  const subject = config.identity.certificate;
  const genesis = await loadGenesis(config.genesis);
  const { chain } = await loadOwnIdentity(config);
  const peer = peerIdOf(await loadPeerKey(config.p2p.keyFile));
  const lists = await loadRevocationLists(config.p2p.revocationLists);
  const judge = createIdentityJudge({
    anchors: { ...readAnchors(genesis), revocationLists: () => lists },
    registry: {
      ...{
        memberOfKey: () => null,
        validatorPeerId: () => null,
        validatorKeys: () => [],
        isHeadProven: () => false,
      },
      headHeight: () => 0,
      headTimestampMs: () => 0,
    },
    clock: systemClock,
  });
  const verdict = judge.judgeCertificates(peer, chain);
  if (!verdict.ok) {
    const detail = [verdict.code, verdict.detail].filter(Boolean).join(": ");
    return [finding("NODE_DOCTOR_CERTIFICATE", "error", subject, detail)];
  }
  const { nodeId, role, organization, validToMs } = verdict.value;
  const days = (validToMs - systemClock.nowMs()) / DAY_MS;
  const ends = new Date(validToMs).toISOString();
  const detail = `${nodeId}, ${role} of ${organization}, ends ${ends}`;
  const severity = atLeast(days, needs.certificateDays);
  return [finding("NODE_DOCTOR_CERTIFICATE", severity, subject, detail)];
}

async function examineAudit(dataDir: string): Promise<readonly DoctorFinding[]> {
  const folder = join(dataDir, CONTROL_FOLDER, AUDIT_FOLDER);
  try {
    const { entries, faults } = await checkAuditFolder(folder);
    if (faults.length === 0) {
      return [finding("NODE_DOCTOR_AUDIT", "ok", folder, `${entries} entries`)];
    }
    return faults.map((fault) => finding("NODE_DOCTOR_AUDIT", "error", folder, fault));
  } catch {
    return [finding("NODE_DOCTOR_AUDIT", "info", folder, "none yet")];
  }
}

/** Secrets, certificate, genesis and audit log of a configuration that could be read. */
export async function examineIdentity(config: NodeConfig): Promise<readonly DoctorFinding[]> {
  const { key, keyPasswordFile } = config.identity;
  const secrets = [key, keyPasswordFile, config.p2p.keyFile].filter((path) => path !== undefined);
  const files = await Promise.all(secrets.map(examineSecret));
  try {
    return [
      ...files,
      ...(await examineCertificate(config)),
      ...(await examineAudit(config.dataDir)),
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const isConfig = error.code.startsWith("NODE_CONFIG") || error.code.includes("GENESIS");
    const code = isConfig ? "NODE_DOCTOR_CONFIG" : "NODE_DOCTOR_CERTIFICATE";
    const detail = `${error.code}: ${error.message}`;
    return [...files, finding(code, "error", config.identity.certificate, detail)];
  }
}
