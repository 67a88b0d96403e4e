import type { Message } from "@credlink/consensus-pbft";
import { honestOne, quorum } from "@credlink/consensus-pbft/certificates";
import { isCovered } from "@credlink/consensus-pbft/compliance";
import { isHigherVote, isVote, type Vote } from "@credlink/node/engine";
import type { TwinsInstance } from "./instance.ts";
import type { RestartPoint, TwinsShape } from "./scenario.ts";

/** What a restart needs of the network. */
export interface RestartHost {
  readonly shape: TwinsShape;
  readonly instances: readonly TwinsInstance[];
  /** Whether the key that restarted was silenced by its peers. */
  abstained: boolean;
  heardBy(to: TwinsInstance): readonly TwinsInstance[];
  violate(node: TwinsInstance, text: string): void;
}

/**
 * The amnesiac: key 0 goes down and comes back with an older image of its vote log. As a node
 * does, it votes only after q − 1 others were heard, and they show it the highest vote that they
 * saw from it. What they show and the image lacks must silence it; what nobody can show counts
 * within f.
 */
export class Restart {
  readonly #network: RestartHost;
  readonly #point: RestartPoint;
  /** Highest vote of the key that each instance has received. */
  readonly #seen = new Map<TwinsInstance, Vote>();
  #phase: "before" | "waiting" | "done" = "before";

  constructor(network: RestartHost, point: RestartPoint) {
    this.#network = network;
    this.#point = point;
  }

  get #victim(): TwinsInstance | undefined {
    return this.#network.instances[0];
  }

  onDelivery(to: TwinsInstance, message: Message): void {
    const victim = this.#victim;
    if (to === victim || !isVote(message) || message.sender !== victim?.key) return;
    const known = this.#seen.get(to);
    if (known === undefined || isHigherVote(message, known)) this.#seen.set(to, message);
  }

  /** Everything under way has arrived: the moment to go down, or to come back. */
  onQuiet(): boolean {
    const victim = this.#victim;
    if (victim === undefined || this.#phase === "done") return false;
    if (this.#phase === "before") {
      if (victim.round < this.#point.view) return false;
      victim.stop();
      victim.log = this.#image(victim);
      this.#phase = "waiting";
    }
    if (!this.#isGateOpen(victim)) return false;
    this.#phase = "done";
    const shown = this.#network.heardBy(victim).flatMap((peer) => this.#seen.get(peer) ?? []);
    victim.start(shown);
    const forgotten = shown.some(
      (vote) => vote.height > victim.height && !isCovered(victim.log, vote),
    );
    if (forgotten && !victim.isAbstaining) {
      this.#network.violate(victim, "a forgotten vote was shown, and it votes on");
    }
    if (victim.isAbstaining) this.#network.abstained = true;
    return true;
  }

  #image({ log }: TwinsInstance): TwinsInstance["log"] {
    if (this.#point.image === 0) return [];
    const end = log.findIndex(
      (record) => record.type === "entered-view" && record.view >= this.#point.image,
    );
    return end < 0 ? log : log.slice(0, end);
  }

  /** The gate of a node that starts: q − 1 others heard, and no credible claim far ahead. */
  #isGateOpen(victim: TwinsInstance): boolean {
    const { validators } = this.#network.shape;
    const claims = this.#network.heardBy(victim).map(({ height }) => height);
    if (claims.length < quorum(validators) - 1) return false;
    const credible = claims.sort((a, b) => b - a)[honestOne(validators) - 1] ?? 0;
    return victim.height + 1 >= credible;
  }
}
