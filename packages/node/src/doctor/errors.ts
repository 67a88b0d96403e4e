import { defineErrors } from "@credlink/primitives";

/** What `credlink node doctor` finds. */
export const doctorErrors = defineErrors({
  NODE_DOCTOR_RUNTIME: {
    meaning: "The Node.js that would run the node is too old, or its OpenSSL lacks SM2.",
    remedy: "Install Node.js 24 as its project builds it; see docs/operations.md.",
  },
  NODE_DOCTOR_PROCESSORS: {
    meaning: "The machine has fewer processors than a node should have.",
    remedy: "Give the machine more; verification.threads and throughput follow their number.",
  },
  NODE_DOCTOR_MEMORY: {
    meaning: "The machine has less memory than a node should have.",
    remedy: "Give the machine more, or lower engine.mempoolBytes and storage.cacheBytes.",
  },
  NODE_DOCTOR_DISK: {
    meaning: "The file system of the data folder has little free space.",
    remedy: "Free space or move dataDir; a node stops at the first write that fails.",
  },
  NODE_DOCTOR_SYNC: {
    meaning: "A durable write takes long: every vote waits for one.",
    remedy: "Put dataDir on a solid-state disk of its own, not on a network share.",
  },
  NODE_DOCTOR_CLOCK: {
    meaning: "The clock is off from the validators' clocks, or by how much is not known.",
    remedy: "Run a time service (chrony, ntpd); the offset is known once the node runs.",
  },
  NODE_DOCTOR_PORT: {
    meaning: "A port of the configuration cannot be bound.",
    remedy: "End the process that has it, or change the port or address in the configuration.",
  },
  NODE_DOCTOR_PEER: {
    meaning: "A configured peer does not accept connections from here.",
    remedy: "Check address, firewall and whether that node runs.",
  },
  NODE_DOCTOR_FILE: {
    meaning: "A secret file is readable by others, belongs to somebody else, or is missing.",
    remedy: "chown it to the user who runs the node and chmod it to 600.",
  },
  NODE_DOCTOR_FOLDER: {
    meaning: "The data folder cannot be written, or others may enter it.",
    remedy: "chown it to the user who runs the node and chmod it to 700.",
  },
  NODE_DOCTOR_CERTIFICATE: {
    meaning: "The node's certificate will be refused, does not fit the key, or ends soon.",
    remedy: "Have the organisation's authority renew it; the detail names the rule.",
  },
  NODE_DOCTOR_CONFIG: {
    meaning: "The configuration or genesis cannot be used.",
    remedy: "The detail names the key; docs/configuration.md says what each takes.",
  },
  NODE_DOCTOR_OPEN_FILES: {
    meaning: "The process may open fewer files than a node should be able to.",
    remedy: "Raise the limit: LimitNOFILE of the service, ulimit -n of a shell.",
  },
  NODE_DOCTOR_AUDIT: {
    meaning: "The audit log is not what the node wrote.",
    remedy: "Keep the files and find out who wrote into them.",
  },
});

export type DoctorCode = keyof typeof doctorErrors;
export type Severity = "ok" | "info" | "warn" | "error";

/** What one check found. */
export interface DoctorFinding {
  readonly code: DoctorCode;
  readonly severity: Severity;
  /** What was looked at. */
  readonly subject: string;
  readonly detail: string;
  /** Empty where nothing is to be cured. */
  readonly remedy: string;
}

/** A finding with its code's remedy. */
export function finding(
  code: DoctorCode,
  severity: Severity,
  subject: string,
  detail: string,
): DoctorFinding {
  const remedy = severity === "ok" || severity === "info" ? "" : doctorErrors[code].remedy;
  return { code, severity, subject, detail, remedy };
}

/** Judges a figure that should be large. */
export function atLeast(
  value: number,
  need: { readonly least: number; readonly good: number },
): Severity {
  if (value < need.least) return "error";
  return value < need.good ? "warn" : "ok";
}

/** Judges a figure that should be small. */
export function atMost(
  value: number,
  need: { readonly least: number; readonly good: number },
): Severity {
  if (value > need.least) return "error";
  return value > need.good ? "warn" : "ok";
}
