import { readFile } from "node:fs/promises";
import { platform } from "node:process";
import type { InterfaceCounters } from "./network-load.ts";

/** Where Linux keeps the counters, and how fast each link is; handed in so that other tables can be tried. */
export interface NetworkFiles {
  readonly counters: string;
  readonly interfaces: string;
}

const linuxFiles: NetworkFiles = { counters: "/proc/net/dev", interfaces: "/sys/class/net" };

/** ARPHRD_LOOPBACK, include/uapi/linux/if_arp.h. */
const loopbackType = "772";

export interface NetworkChoice {
  /** Only this one, loopback too. Default: all but loopback. */
  readonly interface?: string | undefined;
  /** Instead of what the interface says of itself. */
  readonly capacityMbit?: number | undefined;
}

/** True where the system tells what its interfaces have carried. */
export const networkIsMeasurable = platform === "linux";

/** What the interfaces have carried so far. Throws what the file system throws. */
export async function readNetworkCounters(
  choice: NetworkChoice,
  files: NetworkFiles = linuxFiles,
): Promise<InterfaceCounters[]> {
  const found: InterfaceCounters[] = [];
  for (const line of (await readFile(files.counters, "utf8")).split("\n")) {
    // `face: bytes packets errs drop fifo frame compressed multicast bytes …` (proc_net_dev): received, then sent.
    const [, name = "", numbers = ""] = /^\s*([^\s:]+):(.*)$/.exec(line) ?? [];
    const columns = numbers.trim().split(/\s+/).map(Number);
    const [receivedBytes, sentBytes] = [columns[0], columns[8]];
    if (name === "" || receivedBytes === undefined || sentBytes === undefined || Number.isNaN(sentBytes)) continue;
    if (choice.interface !== undefined && choice.interface !== name) continue;
    const tell = (file: string): Promise<string> => readWord(`${files.interfaces}/${name}/${file}`);
    if (choice.interface === undefined && (await tell("type")) === loopbackType) continue;
    const capacityMbit = choice.capacityMbit ?? Number(await tell("speed"));
    const halfDuplex = (await tell("duplex")) === "half" || (await tell("phy80211/name")) !== "";
    found.push({
      name,
      receivedBytes,
      sentBytes,
      // -1 or nothing where the driver does not know: virtual machines, radio, bridges.
      ...(capacityMbit > 0 ? { capacityBitsPerS: capacityMbit * 1_000_000 } : {}),
      ...(halfDuplex ? { halfDuplex } : {}),
    });
  }
  return found;
}

async function readWord(path: string): Promise<string> {
  // Some drivers answer EINVAL for a link that is down or has no speed.
  return (await readFile(path, "utf8").catch(() => "")).trim();
}
