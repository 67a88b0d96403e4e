import type { MethodResult } from "@credlink/api";
import { type CommitCertificate, commitCertificateCodec } from "@credlink/consensus-pbft";
import { type Header, headerCodec } from "@credlink/ledger";
import { type Digest, encode, toHex } from "@credlink/primitives";

/** A header with what proves it, as the API shows it. */
export function showHeader(
  header: Header,
  digest: Digest,
  certificate: CommitCertificate | null,
): MethodResult<"block.header"> {
  // Nobody signed genesis: its digest is what everything else is proven from.
  const isSigned = certificate !== null && header.height > 0;
  return {
    height: header.height,
    digest: toHex(digest),
    header: toHex(encode(headerCodec, header)),
    certificate: isSigned ? toHex(encode(commitCertificateCodec, certificate)) : "",
  };
}
