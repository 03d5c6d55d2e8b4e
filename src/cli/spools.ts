import { type Api, clientApi, serverApi } from "../client/api.ts";
import { type SpoolView, spoolAnswerSchema } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { formatBytes, formatPercent } from "./format.ts";
import { type ExitCode, exitCodes, type Io, note, writeJson } from "./io.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";
import { formatFields } from "./table.ts";

/** How full the spools are and how loaded their networks: the server's, and that of this machine's client. */
export async function runSpools(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const config = await loadSettings(flags, io);
  const spools: SpoolView[] = [];
  const silent: unknown[] = [];
  const ask = async (api: Api): Promise<void> => {
    spools.push((await api.ask("GET", "/api/spool", spoolAnswerSchema)).spool);
  };
  await ask(serverApi(config)).catch((error: unknown) => silent.push(error));
  const client = await clientApi(config);
  if (client !== undefined) await ask(client).catch((error: unknown) => silent.push(error));
  const [first] = silent;
  if (spools.length === 0) throw first;
  if (first instanceof TwinspoolError) note(io, first.message);
  if (flags.json) writeJson(io.stdout, { spools });
  else io.stdout.write(`${spools.map((spool) => formatFields(fieldsOf(spool)).join("\n")).join("\n\n")}\n`);
  return exitCodes.done;
}

function fieldsOf(spool: SpoolView): [name: string, value: string | undefined][] {
  const { usedBytes, quotaBytes, promisedBytes, disk, thresholds, images } = spool;
  const { nearFullPercent, fullPercent, clientSharePercent, largestJobBytes } = thresholds;
  const promised = promisedBytes === 0 ? "" : `, ${formatBytes(promisedBytes)} more are promised`;
  const share = spool.side === "server" ? `, each client ${clientSharePercent} %` : "";
  return [
    ["spool", `${spool.side} (${spool.name})`],
    ["level", spool.reason === "" ? spool.level : `${spool.level}: ${spool.reason}`],
    ["used", `${formatPercent(usedBytes, quotaBytes)} of ${formatBytes(quotaBytes)}, images: ${images}${promised}`],
    [
      "disk",
      disk === undefined ? undefined : `${formatBytes(disk.availableBytes)} of ${formatBytes(disk.totalBytes)} free`,
    ],
    ["network", networkOf(spool)],
    [
      "thresholds",
      `near-full ${nearFullPercent} %, full ${fullPercent} %, network ${spool.network.loadedPercent} %${share}, largest job ${formatBytes(largestJobBytes)}`,
    ],
  ];
}

function networkOf({ network }: SpoolView): string {
  const { measured, reason, percent = 0, bytesPerS = 0, capacityMbit = 0, loaded } = network;
  if (!measured) return reason === "" ? "not measured yet" : reason;
  const load = `${percent} % of ${network.interface} (${formatBytes(bytesPerS)}/s of ${capacityMbit} Mbit/s)`;
  return loaded ? `loaded: ${load}` : load;
}
