import { isIPv6, SocketAddress } from "node:net";

/** The 16-bit groups of an IPv6 address in the form that the system writes. */
function groupsOf(address: string): readonly string[] {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  if (tail === undefined) return left;
  const right = tail === "" ? [] : tail.split(":");
  return [...left, ...new Array<string>(8 - left.length - right.length).fill("0"), ...right];
}

function ofIpv6(text: string): string {
  const { address } = new SocketAddress({ family: "ipv6", address: text });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return `${groupsOf(address).slice(0, 4).join(":")}::/64`;
}

/**
 * What failures and pending handshakes are counted under for a multiaddress: the IPv4 address, or
 * the /64 of an IPv6 one, for whoever has one address of a /64 has all 2^64 of them.
 * @see RFC 6177 §2: a site gets a /64 at the least
 */
export function addressKey(multiaddress: string): string {
  const parts = multiaddress.split("/");
  const at = parts.findIndex((part) => part === "ip4" || part === "ip6");
  const host = parts[at + 1];
  if (at < 0 || host === undefined || host === "") return "unknown";
  return parts[at] === "ip6" && isIPv6(host) ? ofIpv6(host) : host;
}
