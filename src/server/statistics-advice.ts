import type { Spread, StatisticsAnswer, StatisticsGroup } from "../protocol/statistics.ts";

/** With fewer jobs than this a share says nothing. */
const jobsAtLeast = 10;
const takenOverShare = 0.1;
const indeterminateShare = 0.02;
const unprovedShare = 0.5;
const hourShare = 0.3;
/** A wait that people notice, and that is no chance of a few jobs. */
const slowerTimes = 1.5;
const slowerMs = 200;

interface Finding {
  /** How many jobs it is about. */
  readonly jobs: number;
  readonly sentence: string;
}

/** What the figures advise to do, the weightiest first. */
export function adviceOf({
  total,
  printers,
  clients,
}: Pick<StatisticsAnswer, "total" | "printers" | "clients">): string[] {
  const findings = [...clients.flatMap(ofClient), ...printers.flatMap(ofPrinter), ...ofHours(total)];
  return findings.sort((a, b) => b.jobs - a.jobs).map(({ sentence }) => sentence);
}

function ofClient({ name, chosen, takenOver }: StatisticsGroup): Finding[] {
  const findings: Finding[] = [];
  const { byServer, byClient } = takenOver;
  if (isShare(byServer, chosen.client, takenOverShare)) {
    findings.push({
      jobs: byServer,
      sentence: `the server took over ${share(byServer, chosen.client)} of the jobs of ${name}: its client is often away or slow when its turn comes; choose --from server or --from auto`,
    });
  }
  if (isShare(byClient, chosen.server, takenOverShare)) {
    findings.push({
      jobs: byClient,
      sentence: `${name} printed ${share(byClient, chosen.server)} of its jobs for the server by itself: the server was away or had no image; look after the server and its network, or choose --from client`,
    });
  }
  return findings;
}

function ofPrinter(printer: StatisticsGroup): Finding[] {
  const { name, jobs, indeterminate, printed, unproved, waitWhenSentBy } = printer;
  const findings: Finding[] = [];
  if (isShare(indeterminate, jobs, indeterminateShare)) {
    findings.push({
      jobs: indeterminate,
      sentence: `nobody knows whether ${share(indeterminate, jobs)} of the jobs of ${name} are on paper: look after its power and its cable`,
    });
  }
  if (isShare(unproved, printed, unprovedShare)) {
    findings.push({
      jobs: unproved,
      sentence: `${name} did not report the end of ${share(unproved, printed)} of its jobs: name its model in the configuration, or use an interface that answers`,
    });
  }
  const { client, server } = waitWhenSentBy;
  if (isSlower(client, server)) findings.push(slower(name, "client", client, "server", server));
  if (isSlower(server, client)) findings.push(slower(name, "server", server, "client", client));
  return findings;
}

function ofHours({ jobs, hours }: StatisticsGroup): Finding[] {
  const most = Math.max(...hours);
  const hour = hours.indexOf(most);
  // Of one hour alone everything would be a rush hour.
  const isDay = hours.filter((count) => count > 0).length >= 4;
  if (!isDay || !isShare(most, jobs, hourShare)) return [];
  const sentence = `${share(most, jobs)} of the jobs come between ${hour} and ${hour + 1} h: what is not urgent can wait (--at, or a lower --priority)`;
  return [{ jobs: 0, sentence }];
}

function isSlower(slow: Spread | undefined, fast: Spread | undefined): slow is Spread {
  if (slow === undefined || fast === undefined) return false;
  if (slow.count < jobsAtLeast || fast.count < jobsAtLeast) return false;
  return slow.medianMs >= fast.medianMs * slowerTimes && slow.medianMs - fast.medianMs >= slowerMs;
}

function slower(printer: string, slow: string, slowWait: Spread, fast: string, fastWait: Spread | undefined): Finding {
  const seconds = (ms = 0): string => `${(ms / 1_000).toFixed(1)} s`;
  return {
    jobs: slowWait.count,
    sentence: `on ${printer}, half of the jobs that the ${slow} sent began within ${seconds(slowWait.medianMs)}, of those from the ${fast} within ${seconds(fastWait?.medianMs)}: choose --from ${fast}`,
  };
}

function isShare(part: number, whole: number, atLeast: number): boolean {
  return whole >= jobsAtLeast && part / whole >= atLeast;
}

function share(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} % (${part} of ${whole})`;
}
