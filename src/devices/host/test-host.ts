import type { JobTicket } from "../../protocol/job.ts";
import { defaultTimers } from "../../protocol/limits.ts";
import type { Message, Peer } from "../../protocol/messages.ts";
import { clientId, incarnation, kitchen, MachineDriver, only } from "../../runtime/test-machine.ts";
import type { OutputResult } from "../device.ts";
import { HostMachine } from "./host-machine.ts";
import type { HostEffect, HostInput } from "./host-state.ts";
import { blockBytes } from "./ledger-block.ts";
import type { JobRecord, LedgerRecord } from "./ledger-record.ts";
import { LedgerRing } from "./ledger-ring.ts";

export const client: Peer = `client:${clientId}`;
export const server: Peer = "server";

/** A printer host's machine over a real ledger ring: senders and device are played by the test. */
export class TestHost extends MachineDriver<HostInput, HostEffect, HostMachine> {
  readonly #header: Uint8Array;
  readonly #slots: Uint8Array[];
  #ring: LedgerRing;
  #boots = 0;

  constructor(ledgerRecords = 64) {
    super();
    this.#header = LedgerRing.format(incarnation, ledgerRecords);
    this.#slots = Array.from({ length: ledgerRecords }, () => new Uint8Array(blockBytes));
    this.#ring = this.#scan().ring;
  }

  #scan() {
    const scan = LedgerRing.scan(this.#header, (slot) => this.#slots[slot] ?? new Uint8Array(blockBytes));
    if ("damage" in scan) throw new Error(scan.damage);
    return scan;
  }

  protected boot(): HostMachine {
    const { ring, records } = this.#scan();
    this.#ring = ring;
    this.#boots += 1;
    const { name: printer, model, widthDots, resolutionDpi, hostUrl, hostIncarnation } = kitchen;
    const bootId = `boot${this.#boots}`;
    const ledgerRecords = this.#slots.length;
    return new HostMachine(
      {
        printer,
        model,
        widthDots,
        resolutionDpi,
        hostUrl,
        hostIncarnation,
        ledgerRecords,
        bootId,
        timers: defaultTimers,
      },
      records,
    );
  }

  protected keep(effect: HostEffect): void {
    if (effect.kind !== "persist") return;
    for (let rest: readonly LedgerRecord[] = effect.records; rest.length > 0; ) {
      const { slot, bytes, records } = this.#ring.place(rest);
      this.#slots[slot] = bytes;
      rest = rest.slice(records.length);
    }
  }

  /** The durable record of a job. */
  record(jobId: string): JobRecord | undefined {
    const records = this.#scan().records.filter((record) => record.kind === "job");
    return records.findLast((record) => record.jobId === jobId);
  }

  deviceReady(ready = true): readonly HostEffect[] {
    const state = { state: ready ? ("idle" as const) : ("stopped" as const), reasons: [] };
    return this.give({ kind: "deviceStateChanged", ready, state });
  }

  offer(ticket: JobTicket, more: { from?: Peer; epoch?: number; lowestOpen?: number } = {}): readonly HostEffect[] {
    const { from = client, epoch = 0, lowestOpen } = more;
    const sentBy = from === server ? "server" : "client";
    const rest = lowestOpen === undefined ? {} : { lowestOpen };
    return this.says(from, { type: "imageOffered", ticket, epoch, sentBy, ...rest });
  }

  cancel(ticket: JobTicket, more: { from?: Peer; epoch?: number } = {}): readonly HostEffect[] {
    const { from = client, epoch = 1 } = more;
    return this.says(from, { type: "outputCancelRequested", ticket, epoch });
  }

  ask(jobId: string, from: Peer = client): readonly HostEffect[] {
    return this.says(from, { type: "outcomesRequested", jobIds: [jobId] });
  }

  /** The upload that was asked for last has come in, whole unless `seen` says otherwise. */
  receive(
    effects: readonly HostEffect[],
    seen: { sha256?: string; sizeBytes?: number; widthDots?: number | undefined } = {},
  ): readonly HostEffect[] {
    const expected = only(effects, "expectImage").at(-1);
    if (expected === undefined) throw new Error("no image is expected");
    const { ticket, uploadId } = expected;
    const { jobId, sha256, sizeBytes, widthDots } = { ...ticket, ...seen };
    const geometry = widthDots === undefined ? {} : { widthDots };
    return this.give({ kind: "imageReceived", jobId, uploadId, sha256, sizeBytes, ...geometry });
  }

  /** Offers the job and sends its image. */
  load(ticket: JobTicket, more: { from?: Peer; epoch?: number; lowestOpen?: number } = {}): readonly HostEffect[] {
    const offered = this.offer(ticket, more);
    return [...offered, ...this.receive(offered)];
  }

  finish({ jobId }: JobTicket, result: OutputResult = { kind: "printed", evidence: "process-id" }) {
    return this.give({ kind: "outputFinished", jobId, result });
  }

  /** Says what the ledger has of everything, as the server hears it. */
  ledger(afterSequence = -1): readonly HostEffect[] {
    return this.says(server, { type: "ledgerRequested", afterSequence });
  }

  clientSays(message: Message): readonly HostEffect[] {
    return this.says(client, message);
  }
}

/** Server, client and device are there, and nothing is offered. */
export function readyHost(ledgerRecords?: number): TestHost {
  const host = new TestHost(ledgerRecords);
  host.open(server);
  host.ledger();
  host.open(client);
  host.deviceReady();
  return host;
}
