import type { SimClock } from "./clock.ts";
import type { HostLink } from "./ports/port.ts";
import { ALL_WELL, automaticStatus, type Conditions, isOffline, isReported, realTimeStatus } from "./status.ts";

/** Bytes the printer sent. */
export interface Reply {
  readonly atMs: number;
  readonly connection: number;
  readonly bytes: Uint8Array;
}

/** Replies remembered for `replies`. */
const REMEMBERED_REPLIES = 10_000;

/** FS ( e: nothing that it would report can change on these models. */
export const EXTENDED_STATUS: readonly number[] = [0x39, 0x00, 0x40, 0x00];

/** First bytes of answers that end with NUL. */
const BLOCK_HEADERS: ReadonlySet<number> = new Set([0x35, 0x37, 0x39, 0x3b, 0x3d, 0x5f]);

interface Host {
  readonly link: HostLink;
  automaticStatus: number;
  /** The line is busy with what was sent so far until then; with a block, until the other. */
  lineFreeMs: number;
  blockEndMs: number;
  /** A change of status waits for the end of the block. */
  statusDue: boolean;
  offlineResponse: number;
}

/**
 * Everything the printer says. A response whose host is away is kept, the latest of each kind only, and goes to the
 * next connection: process ID before offline response before clear response (GS ( H).
 */
export class BackChannel {
  readonly replies: Reply[] = [];
  /** Nothing goes out, and nobody learns that it did not. */
  muted = false;
  private readonly clock: SimClock;
  /** GS a at power-on. */
  defaultStatus: number;
  private latest: Conditions = ALL_WELL;
  private readonly hosts = new Map<number, Host>();
  private readonly untransmitted: { processId?: Uint8Array; offline?: Uint8Array; clear?: Uint8Array } = {};

  constructor(clock: SimClock, defaultStatus = 0) {
    this.clock = clock;
    this.defaultStatus = defaultStatus;
  }

  attach(connection: number, link: HostLink): void {
    this.hosts.set(connection, {
      link,
      automaticStatus: this.defaultStatus,
      lineFreeMs: 0,
      blockEndMs: 0,
      statusDue: false,
      offlineResponse: 0,
    });
    for (const kind of ["processId", "offline", "clear"] as const) {
      const bytes = this.untransmitted[kind];
      if (bytes !== undefined && this.send(connection, bytes)) delete this.untransmitted[kind];
    }
  }

  detach(connection: number): void {
    this.hosts.delete(connection);
  }

  /** Ends every connection. */
  dropAll(): void {
    const links = [...this.hosts.values()].map((host) => host.link);
    this.hosts.clear();
    for (const link of links) link.drop();
  }

  /** Power off: nothing is remembered. */
  forget(): void {
    delete this.untransmitted.processId;
    delete this.untransmitted.offline;
    delete this.untransmitted.clear;
  }

  send(connection: number, bytes: ArrayLike<number>): boolean {
    const host = this.hosts.get(connection);
    const copy = Uint8Array.from(bytes);
    if (this.muted) return true;
    if (host === undefined || !host.link.send(copy)) return false;
    this.occupyLine(host, copy);
    this.replies.push({ atMs: this.clock.nowMs(), connection, bytes: copy });
    if (this.replies.length > REMEMBERED_REPLIES) this.replies.shift();
    return true;
  }

  /** To every host there is. */
  sendToAll(bytes: ArrayLike<number>): void {
    for (const connection of this.hosts.keys()) this.send(connection, bytes);
  }

  /** The answer to DLE EOT, which is ignored while a block is being sent. */
  sendStatus(connection: number, status: number): void {
    const host = this.hosts.get(connection);
    if (host !== undefined && host.blockEndMs <= this.clock.nowMs()) this.send(connection, [status]);
  }

  /** DLE DC4 fn 7, m = 4. */
  respondOffline(connection: number, conditions: Conditions): void {
    this.respond(connection, "offline", [0x37, 0x23, offlineCauses(conditions), 0x00]);
  }

  private occupyLine(host: Host, bytes: Uint8Array): void {
    const { msPerByte } = host.link;
    if (msPerByte === undefined) return;
    host.lineFreeMs = Math.max(this.clock.nowMs(), host.lineFreeMs) + bytes.length * msPerByte;
    if (bytes.length > 1 && BLOCK_HEADERS.has(bytes[0] ?? 0)) host.blockEndMs = host.lineFreeMs;
  }

  /** No ASB within a block: changes meanwhile become one report, of what holds when the block has ended. */
  private report(connection: number, host: Host, conditions: Conditions): void {
    this.latest = conditions;
    if (host.statusDue) return;
    if (host.blockEndMs <= this.clock.nowMs()) {
      this.send(connection, automaticStatus(conditions));
      return;
    }
    host.statusDue = true;
    this.clock.schedule(host.blockEndMs, () => {
      host.statusDue = false;
      if (this.hosts.get(connection) === host) this.report(connection, host, this.latest);
    });
  }

  /** Sends a response, or keeps it as the latest of its kind. */
  respond(connection: number, kind: "processId" | "offline" | "clear", bytes: readonly number[]): void {
    if (!this.send(connection, bytes)) this.untransmitted[kind] = Uint8Array.from(bytes);
  }

  /** GS a n: when anything is selected the status follows at once. */
  setAutomaticStatus(connection: number, n: number, conditions: Conditions): void {
    const host = this.hosts.get(connection);
    if (host === undefined) return;
    host.automaticStatus = n;
    if ((n & 0x4f) !== 0) this.report(connection, host, conditions);
  }

  setOfflineResponse(connection: number, mode: number): void {
    const host = this.hosts.get(connection);
    if (host !== undefined) host.offlineResponse = mode;
  }

  /** ESC @ returns ASB to its power-on setting. */
  clearAutomaticStatus(): void {
    for (const host of this.hosts.values()) host.automaticStatus = this.defaultStatus;
  }

  /** Tells the hosts that asked for it about a change. */
  conditionsChanged(before: Conditions, after: Conditions): void {
    this.latest = after;
    for (const [connection, host] of this.hosts) {
      if (isReported(host.automaticStatus, before, after)) this.report(connection, host, after);
      if (host.offlineResponse > 0 && !isOffline(before) && isOffline(after)) {
        const causes = host.offlineResponse === 2 ? [offlineCauses(after)] : [];
        this.respond(connection, "offline", [0x37, 0x23, ...causes, 0x00]);
      }
    }
  }
}

/** GS ( H fn 49: one cause byte within 40h-7Fh. */
function offlineCauses(conditions: Conditions): number {
  const { coverOpen, paperEnd, nearEndStop } = conditions;
  const isError = (realTimeStatus(2, conditions) & 0x40) !== 0;
  return 0x40 | (coverOpen ? 0x01 : 0) | (paperEnd || nearEndStop ? 0x02 : 0) | (isError ? 0x04 : 0);
}
