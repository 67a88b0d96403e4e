import type { CredentialFile } from "@credlink/contracts";
import type { Stock } from "../query-measure.ts";
import { CHUNK_WORKERS, type LoadSender, senderOf } from "./plan.ts";

/** Samples of a load, all across it: made again from the plan. */
export function sampleLoad(
  senders: readonly LoadSender[],
  workers: number,
  samples: number,
  height: number,
): Stock {
  const files: CredentialFile[] = [];
  const services: Uint8Array[] = [];
  const bills: Uint8Array[] = [];
  const asked = Math.min(samples, workers);
  const perWorker = Math.ceil(samples / asked);
  for (let index = 0; index < asked; index += 1) {
    const number = Math.floor((index * workers) / asked);
    const { stream } = senderOf(senders, Math.floor(number / CHUNK_WORKERS));
    const { steps, service, works } = stream.worker(number);
    services.push(service.id);
    const work = works[index % works.length];
    if (work !== undefined) bills.push(work.tax.id);
    for (let own = 0; own < perWorker && files.length < samples; own += 1) {
      // Another place each time, so that every type is asked for.
      const step = steps[(index * perWorker + own * 7) % steps.length];
      if (step === undefined || step.record === null) throw new Error("a step issues a record");
      const { record, payload, salts, openings } = step;
      files.push({ record, payload, salts, openings });
    }
  }
  return { files, services, bills, height };
}
