import { HostMachine } from "../src/devices/host/host-machine.ts";
import type { HostEffect, HostInput } from "../src/devices/host/host-state.ts";
import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import type { JobTicket, PrinterAttributes } from "../src/protocol/job.ts";
import { defaultTimers } from "../src/protocol/limits.ts";
import type { Peer } from "../src/protocol/messages.ts";
import type { Answer } from "./client-node.ts";
import { type LedgerDisk, makeBlockLedger, makeRecordLedger } from "./ledger-disk.ts";
import { Paper } from "./paper.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** One printer of a host process, with its own ledger. */
export class HostNode extends SimNode<HostInput, HostEffect> {
  readonly peer: Peer;
  readonly printer: number;
  readonly ledger: LedgerDisk;
  readonly paper: Paper;
  /** What the ledger had at the last start. */
  restored: readonly LedgerRecord[] = [];
  readonly #world: World;
  /** Whole images in memory. */
  readonly #images = new Map<string, string>();
  #expected: { readonly ticket: JobTicket; readonly uploadId: string } | undefined;

  constructor(world: World, printer: number) {
    super(`host-${printer}`, world.loop, world.random);
    const { plan } = world;
    this.#world = world;
    this.printer = printer;
    this.peer = `host:${world.printerName(printer)}`;
    this.ledger = plan.ledgerBlocks
      ? makeBlockLedger(printer, plan.ledgerRecords, world.random)
      : makeRecordLedger(printer, world.random);
    this.paper = new Paper(world.loop, world.random, plan, (copy) => world.checker.copyBegun(copy));
    this.paper.onState = () => this.#deviceState();
  }

  get attributes(): PrinterAttributes {
    return {
      name: this.#world.printerName(this.printer),
      model: "sim",
      widthDots: 576,
      resolutionDpi: 203,
      hostIncarnation: this.ledger.incarnation,
      hostUrl: `http://127.0.0.1:6311/hosts/${this.printer}`,
    };
  }

  protected boot(): HostMachine {
    this.#images.clear();
    this.#expected = undefined;
    const { incarnation, records } = this.ledger.restore();
    this.restored = records;
    for (const record of records) this.#world.checker.recorded(incarnation, record);
    const { name: printer, model, widthDots, resolutionDpi, hostUrl } = this.attributes;
    return new HostMachine(
      {
        printer,
        model,
        widthDots,
        resolutionDpi,
        hostUrl,
        hostIncarnation: incarnation,
        errorPolicy: this.#world.plan.errorPolicy,
        ledgerRecords: this.#world.plan.ledgerRecords,
        bootId: `boot${this.life}`,
        timers: defaultTimers,
      },
      records,
    );
  }

  protected booted(): void {
    this.#world.network.want(this, this.#world.server, true);
    this.#world.network.nodeStarted(this);
    this.later(this.random.int(1, 500), () => this.#deviceState());
    this.dispatch({ kind: "woke" });
  }

  protected powerLost(): void {
    this.paper.hostDied();
    this.#world.network.nodeDied(this);
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected mayWait(): boolean {
    return false;
  }

  protected makeDurable(effects: readonly HostEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== "persist") continue;
      this.ledger.write(effect.records);
      for (const record of effect.records) this.#world.checker.recorded(this.ledger.incarnation, record);
    }
  }

  /** Handed to the disk, never synced. */
  protected override interrupted(effects: readonly HostEffect[]): void {
    this.ledger.tear(effects.flatMap((effect) => (effect.kind === "persist" ? effect.records : [])));
  }

  #deviceState(): void {
    if (!this.alive) return;
    const { ready } = this.paper;
    const state = ready ? { state: "idle" as const, reasons: [] } : { state: "stopped" as const, reasons: ["offline"] };
    this.dispatch({ kind: "deviceStateChanged", ready, state });
  }

  imageProgressed(uploadId: string): void {
    if (this.alive) this.dispatch({ kind: "imageProgressed", uploadId });
  }

  /** The HTTP door: only the upload that is expected comes in. */
  receiveImage(jobId: string, uploadId: string, digest: string): Answer {
    if (!this.alive || this.#expected?.uploadId !== uploadId) return "failed";
    const { ticket } = this.#expected;
    this.#expected = undefined;
    this.#images.set(jobId, digest);
    const { sizeBytes, widthDots } = ticket;
    this.dispatch({ kind: "imageReceived", jobId, uploadId, sha256: digest, sizeBytes, widthDots });
    if (digest === ticket.sha256) return "kept";
    this.dispatch({ kind: "imageFailed", jobId, uploadId, reason: "another digest" });
    return "wrong-digest";
  }

  protected perform(effect: HostEffect): void {
    const world = this.#world;
    switch (effect.kind) {
      case "sendMessage":
        return world.send(this, effect.to, effect.message);
      case "expectImage":
        this.#expected = { ticket: effect.ticket, uploadId: effect.uploadId };
        return;
      case "dropImage":
        this.#images.delete(effect.jobId);
        if (this.#expected?.ticket.jobId === effect.jobId) this.#expected = undefined;
        return;
      case "startOutput":
        return this.#print(effect.jobId, effect.processIds);
      case "cancelOutput":
        return this.paper.cancel(effect.jobId);
      case "seekEvidence":
        this.later(this.random.int(1, 3_000), () => {
          const evidence = this.paper.seekEvidence(effect.processIds);
          this.dispatch({ kind: "evidenceSettled", jobId: effect.jobId, evidence });
        });
        return;
      case "note":
        if (effect.detail === "ledger-full" && !world.network.faulty) world.fullLedgers.add(this.attributes.name);
        return;
      case "persist":
        return;
    }
  }

  #print(jobId: string, processIds: readonly [string, string]): void {
    const { life } = this;
    const sha256 = this.#images.get(jobId) ?? "no image in memory";
    this.paper.print({ jobId, sha256, processIds }, (result) => {
      if (this.alive && this.life === life) this.dispatch({ kind: "outputFinished", jobId, result });
    });
  }
}
