import { createValidatorSet, type Message } from "@credlink/consensus-pbft";
import { type ConsensusLedger, genesisDigest } from "@credlink/ledger";
import type { CommittedBlock } from "@credlink/node/engine";
import type { LogFields, Logger } from "@credlink/primitives";
import type { SimulatedClock, WireMessage } from "@credlink/testkit";
import { CertificateChecker } from "./certificate-checker.ts";
import { ChainChecker } from "./chain-checker.ts";
import { CheckFailure } from "./checker-errors.ts";
import { EvidenceChecker } from "./evidence-checker.ts";
import { KnownValidators } from "./known-validators.ts";
import { type Holder, MemoryChecker } from "./memory-checker.ts";
import type { Profile } from "./profile.ts";
import type { WatchedStep } from "./replica-watch.ts";
import { Situations } from "./situations.ts";
import { type TimeBounds, TimelinessChecker } from "./timeliness-checker.ts";
import { ValidityChecker } from "./validity-checker.ts";
import { type WatchedNode, WireChecker } from "./wire-checker.ts";
import { createWireReader } from "./wire-reader.ts";

/** What an honest node may log as an error: a fact about another that an operator acts on. */
const ABOUT_OTHERS = "validator contradicted itself";
/** Right after a fault took its vote log, and only then. */
const ABSTAINING = "vote log cannot be trusted, abstaining";

/** A running process: what it holds, and its chain. */
export type WatchedProcess = Holder & { readonly ledger: ConsensusLedger | null };

/**
 * The bounds of fresh blocks of a height as the block below sets them. A node votes at a height
 * when its store holds that block; once sync has taken it further nothing of the vote is sent.
 */
function boundsOn(ledger: ConsensusLedger | null, height: number): TimeBounds | null {
  const head = ledger?.head;
  if (head === undefined || head.header.height !== height - 1) return null;
  return ledger?.parametersAfter(head.digest) ?? null;
}

/** Everything that is held against a run, fed with all that can be seen of it. */
export class Checkers {
  readonly validators: KnownValidators;
  readonly chain: ChainChecker;
  readonly wire: WireChecker;
  readonly certificates: CertificateChecker;
  readonly evidence: EvidenceChecker;
  readonly timeliness: TimelinessChecker;
  readonly validity: ValidityChecker;
  readonly memory: MemoryChecker;
  readonly situations: Situations;
  /** Nodes that came up without a vote log they could trust. */
  readonly abstained = new Set<string>();
  readonly #read = createWireReader();
  readonly #honest: ReadonlySet<string>;
  /** Honest nodes whose machine came back as it was once: they count among the f. */
  readonly #rolledBack = new Set<string>();
  readonly #fail: (error: unknown) => void;

  constructor(parts: {
    readonly profile: Profile;
    readonly clock: SimulatedClock;
    readonly nodes: readonly WatchedNode[];
    /** A segment of a vote log is full at so many bytes. */
    readonly segmentBytes: number;
    /** Hears of every broken invariant. */
    readonly fail: (error: unknown) => void;
  }) {
    const { profile, clock, nodes, fail } = parts;
    const { genesis, verifyOne } = profile;
    const chain = { chainId: genesis.chainId, genesisDigest: genesisDigest(genesis) };
    this.#fail = fail;
    this.#honest = new Set(nodes.flatMap((node) => (node.isByzantine ? [] : [node.name])));
    const isTraitor = (nodeId: string): boolean =>
      !this.#honest.has(nodeId) || this.#rolledBack.has(nodeId);
    this.validators = new KnownValidators(createValidatorSet(genesis.validators));
    this.situations = new Situations(this.validators);
    this.memory = new MemoryChecker(this.validators, nodes.length, parts.segmentBytes);
    this.chain = new ChainChecker(profile, this.validators);
    this.wire = new WireChecker(nodes);
    this.certificates = new CertificateChecker(chain, this.validators, verifyOne);
    this.evidence = new EvidenceChecker({
      chain,
      validators: this.validators,
      verify: verifyOne,
      isTraitor,
    });
    this.timeliness = new TimelinessChecker();
    this.validity = new ValidityChecker({ profile, clock, isTraitor, fail });
  }

  /** One message as it is put on the wire, before anything is lost. */
  onWire(wire: WireMessage): void {
    const read = this.#read(wire);
    if (read === null) return;
    this.#guard(() => this.wire.check(wire.from, read.message));
    const { message } = read;
    if (message !== null && read.isNew) this.onMessage(wire.from, message);
  }

  /** A consensus message that was not on the wire before. */
  onMessage(from: string, message: Message): void {
    this.#guard(() => this.certificates.check(message, this.#honest.has(from)));
  }

  onBoot(node: string, ledger: ConsensusLedger): void {
    if (!this.#honest.has(node)) return;
    this.#guard(() => this.chain.onBoot(node, ledger));
    this.memory.onBoot(node);
    if (this.wire.hasUnsentPrepare(node)) this.situations.note("came up with an unsent PREPARE");
    this.validity.onHeight(ledger.head.header.height, ledger);
  }

  onCommit(node: string, block: CommittedBlock, ledger: ConsensusLedger): void {
    if (!this.#honest.has(node)) return;
    this.#guard(() => this.chain.onCommit(node, block, ledger));
    this.validity.onHeight(block.height, ledger);
    if (!this.abstained.has(node)) this.#checkLog(node, block.height);
    this.situations.onHead(ledger);
  }

  /** An honest node came back as it was at `height`, and may contradict itself up to another one. */
  onMachineRolledBack(node: string, height: number, forgivenUpTo: number): void {
    this.#rolledBack.add(node);
    this.chain.onRolledBack(node, height);
    this.wire.onLogLost(node, forgivenUpTo);
  }

  /** Highest view in which anybody honest voted at a height. */
  highestViewAt(height: number): number {
    return this.wire.highestViewAt(height);
  }

  #checkLog(node: string, height: number): void {
    const segments = this.wire.segmentsOf(node);
    if (segments.length > 1) this.situations.note("vote log of several segments");
    this.#guard(() => this.memory.onCommit(node, height, segments));
  }

  /** One step of a node's replica, before its effects are carried out. */
  onStep(holder: WatchedProcess, step: WatchedStep): void {
    const node = holder.name;
    if (!this.#honest.has(node)) return;
    this.#guard(() => this.memory.onStep(holder, step.replica));
    this.#guard(() => this.evidence.check(node, step));
    this.#guard(() =>
      this.timeliness.check(node, step, (height) => boundsOn(holder.ledger, height)),
    );
    this.situations.onStep(step);
  }

  /**
   * What an honest node logs goes on to `logger`; an error of its own is a failure (I17), unless
   * its disk was made to fail.
   */
  watchLog(node: string, logger: Logger, isForgiven: () => boolean = () => false): Logger {
    if (!this.#honest.has(node)) return logger;
    return {
      error: (text: string, fields?: LogFields) => {
        logger.error(text, fields);
        if (text === ABSTAINING) this.abstained.add(node);
        if (text === ABSTAINING || text === ABOUT_OTHERS || isForgiven()) return;
        this.#fail(new CheckFailure("I17", `${node} logged an error: ${text}`));
      },
      warn: (text, fields) => logger.warn(text, fields),
      info: (text, fields) => logger.info(text, fields),
      debug: (text, fields) => logger.debug(text, fields),
      child: (bindings) => this.watchLog(node, logger.child(bindings), isForgiven),
    };
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#fail(error);
    }
  }
}
