/**
 * An address of this computer for the one port that receiptio knows, 9100. Where all of 127.0.0.0/8 is this computer,
 * every process has one of its own, and `net` (64 to 127) parts the tests; elsewhere there is only `fallback`.
 */
export function ownLoopbackAddress(net: number, fallback: string): string {
  if (process.platform === "darwin") return fallback;
  return `127.${net}.${(process.pid >> 8) & 0xff}.${(process.pid % 250) + 1}`;
}

export const RAW_PORT = 9100;
