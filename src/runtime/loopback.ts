import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";

/** True for an address that only programs on this machine can reach: 127.0.0.0/8 (RFC 1122 §3.2.1.3), ::1, localhost. */
export function isLoopback(address: string): boolean {
  const name = address.toLowerCase();
  if (name === "localhost" || name === "::1" || name === "[::1]") return true;
  return isIPv4(name) && name.startsWith("127.");
}

/** True for a URL whose host is this machine: loopback, or the address of one of its interfaces. */
export function isOnThisMachine(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
  if (isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}
