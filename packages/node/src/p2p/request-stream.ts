import type { Stream, StreamMessageEvent } from "@libp2p/interface";
import { NetworkError } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./frames.ts";

/**
 * Reads exactly one frame of a stream; more than one is refused.
 * @throws NetworkError NODE_NETWORK_FRAME_TOO_LARGE, _REFUSED when the stream ends before, _TIMEOUT.
 */
export function readOneFrame(
  stream: Stream,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { maxBytes, signal } = options;
  const frames = new FrameDecoder(maxBytes);
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      stream.removeEventListener("message", onMessage);
      stream.removeEventListener("close", onClose);
      stream.removeEventListener("end", onClose);
      signal.removeEventListener("abort", onAbort);
      finish();
    };
    const onMessage = (event: StreamMessageEvent): void => {
      frames.push(event.data.subarray());
      try {
        const frame = frames.next();
        if (frame === undefined) return;
        const isOnlyOne = frames.bufferedBytes === 0;
        settle(() =>
          isOnlyOne ? resolve(frame) : reject(new NetworkError("NODE_NETWORK_REFUSED", "overlong")),
        );
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onClose = (): void =>
      settle(() => reject(new NetworkError("NODE_NETWORK_REFUSED", "the stream ended")));
    const onAbort = (): void =>
      settle(() => reject(new NetworkError("NODE_NETWORK_TIMEOUT", "no answer in time")));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    stream.addEventListener("close", onClose);
    stream.addEventListener("end", onClose);
    stream.addEventListener("message", onMessage);
  });
}

/**
 * One request on a stream of its own, and its one reply.
 * @throws NetworkError NODE_NETWORK_TIMEOUT, _REFUSED, _FRAME_TOO_LARGE; the stream is closed.
 */
export async function exchangeFrames(
  open: (signal: AbortSignal) => Promise<Stream>,
  request: Uint8Array,
  options: { readonly timeoutMs: number; readonly maxReplyBytes: number },
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  let stream: Stream | undefined;
  try {
    stream = await open(signal);
    const reply = readOneFrame(stream, { maxBytes: options.maxReplyBytes, signal });
    // A stream that breaks while sending rejects both; the reply's rejection must find a handler.
    reply.catch(() => undefined);
    stream.send(encodeFrame(request));
    const answer = await reply;
    await stream.close({ signal });
    return answer;
  } catch (cause) {
    stream?.abort(new Error("the request failed"));
    if (cause instanceof NetworkError) throw cause;
    const code = signal.aborted ? "NODE_NETWORK_TIMEOUT" : "NODE_NETWORK_REFUSED";
    throw new NetworkError(code, String(cause), { cause });
  }
}

/** How long a peer may take to send its request, and to take the reply. */
const SERVE_TIMEOUT_MS = 10_000;

/** Serves one request on an inbound stream; whatever fails closes the stream without a reply. */
export async function serveFrame(
  stream: Stream,
  maxBytes: number,
  respond: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  try {
    const signal = AbortSignal.timeout(SERVE_TIMEOUT_MS);
    const reply = await respond(await readOneFrame(stream, { maxBytes, signal }));
    stream.send(encodeFrame(reply));
    await stream.close({ signal: AbortSignal.timeout(SERVE_TIMEOUT_MS) });
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}
