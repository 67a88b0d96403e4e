import { type YamuxMuxerInit, yamux } from "@chainsafe/libp2p-yamux";
import type { MessageStream, StreamMuxerFactory } from "@libp2p/interface";

/**
 * yamux, but for one thing: a connection that does not take a frame any more ends by itself.
 *
 * The library (8.0.1) sends a stream's first frame, and its farewell, where nobody catches what
 * throws: should the connection have closed a moment before, the process would end. A peer must
 * not have that in its hands.
 */
export function createStreamMuxer(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(init);
  return () => {
    const factory = create();
    const createMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection: MessageStream) => {
      const muxer = createMuxer(connection);
      const send = muxer.send.bind(muxer);
      muxer.send = (data) => {
        try {
          return send(data);
        } catch (error) {
          connection.abort(error instanceof Error ? error : new Error(String(error)));
          return false;
        }
      };
      return muxer;
    };
    return factory;
  };
}
