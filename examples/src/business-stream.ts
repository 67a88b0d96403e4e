import type { CredentialRecord, IndexKey } from "@credlink/contracts";
import { addressFromPublicKey, publicKeyFromPrivate } from "@credlink/crypto";
import { type Address, invariant } from "@credlink/primitives";
import { numberedIdentityNumber, numberedMobileNumber } from "./identifiers.ts";
import {
  createContext,
  type Enterprise,
  item,
  type MonthContext,
  type RelationKeyToRegister,
  type Work,
} from "./month/context.ts";
import { addEnterprise, addInstitution, addWorker, makePerson } from "./month/parties.ts";
import { addWork } from "./month/work.ts";
import { createExampleRandom } from "./random.ts";
import type { CredentialStep, ExampleKey } from "./step.ts";

/** Works of one worker; each is three tasks, and what follows from them. */
const WORKS = 6;
/** Credentials of one worker: identity, service contract, and nine a work. */
export const STREAM_WORKER_STEPS = 2 + 9 * WORKS;
/** Numbers of workers whose identifiers all differ. */
export const MAX_STREAM_WORKERS = 99_000_000;

/** How a stream of business is to be made. */
export interface BusinessStreamOptions {
  /** Secret: keys, ids and salts follow from it. */
  readonly seed: string;
  /** First moment of the month, milliseconds; all 31 days must lie in the past of the chain. */
  readonly startMs: number;
  /** The member that submits: an institution. */
  readonly institutionAddress: Address;
  /** Blinds identifiers: the same for all streams of one chain. */
  readonly indexKey: IndexKey;
}

/** One worker's business. */
export interface WorkerBusiness {
  /** To be registered before the first step. */
  readonly relationKeys: readonly RelationKeyToRegister[];
  /** Ascending by stage; those of one stage may be submitted side by side. */
  readonly steps: readonly CredentialStep[];
  readonly service: CredentialRecord;
  readonly works: readonly Work[];
}

/** Business of one institution and two enterprises, without end. */
export interface BusinessStream {
  /** Identities and frameworks: to be committed before any worker's business. */
  readonly setUp: Pick<WorkerBusiness, "relationKeys" | "steps">;
  /**
   * The business of worker `number`, from 0. It follows from seed and number alone: whoever keeps
   * the seed can make it again, and ask a chain what it holds of it.
   */
  worker(number: number): WorkerBusiness;
}

/** Keys that follow from a seed, in the order asked for. */
function keySource(seed: string): () => ExampleKey {
  const random = createExampleRandom(seed);
  return () => {
    const privateKey = random.bytes(32);
    // Below the group order for certain.
    privateKey[0] = (privateKey[0] ?? 0) & 0x7f;
    const publicKey = publicKeyFromPrivate(privateKey);
    return { privateKey, publicKey, address: addressFromPublicKey(publicKey) };
  };
}

function open(options: BusinessStreamOptions, part: string) {
  const relationKeys: RelationKeyToRegister[] = [];
  const context: MonthContext = {
    ...createContext({
      seed: `${options.seed}/${part}`,
      startMs: options.startMs,
      institutionAddress: options.institutionAddress,
      createKey: keySource(`${options.seed}/${part}/keys`),
      onRelationKey: (key) => relationKeys.push(key),
    }),
    indexKey: options.indexKey,
  };
  return { context, relationKeys };
}

/** Makes the stream; nothing of a worker is made before it is asked for. */
export function createBusinessStream(options: BusinessStreamOptions): BusinessStream {
  const { context, relationKeys } = open(options, "set-up");
  const attester = addInstitution(context);
  const enterprises: readonly Enterprise[] = [0, 1].map((place) =>
    addEnterprise(context, place, attester),
  );
  return {
    setUp: { relationKeys, steps: context.builder.steps },
    worker(number) {
      invariant(
        Number.isSafeInteger(number) && number >= 0 && number < MAX_STREAM_WORKERS,
        "the number of a worker",
      );
      const own = open(options, `worker/${number}`);
      const person = {
        ...makePerson(own.context, number),
        // Random ones meet twice among so many.
        identityNumber: numberedIdentityNumber(number),
        mobile: numberedMobileNumber(number),
      };
      const worker = addWorker(own.context, person, item(enterprises, number % 2), attester);
      const works = Array.from({ length: WORKS }, () => addWork(own.context, worker));
      return {
        relationKeys: own.relationKeys,
        steps: own.context.builder.steps.toSorted((a, b) => a.stage - b.stage),
        service: worker.service,
        works,
      };
    },
  };
}
