import { HostMachine } from "../src/devices/host/host-machine.ts";
import type { HostEffect, HostInput } from "../src/devices/host/host-state.ts";
import type { LedgerRecord } from "../src/devices/host/ledger-record.ts";
import { defaultTimers } from "../src/protocol/limits.ts";
import type { LedgerDisk } from "./disks.ts";
import type { Paper } from "./paper.ts";
import { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

export class HostNode extends SimNode<HostInput, HostEffect> {
  readonly incarnation = "ledger000001";
  readonly ledger: LedgerDisk;
  readonly paper: Paper;
  readonly #world: World;
  /** Whole images in memory. */
  readonly #images = new Map<string, string>();
  #expected: { readonly jobId: string; readonly uploadId: string } | undefined;

  constructor(world: World, ledger: LedgerDisk, paper: Paper) {
    super("host", "host:kitchen", world.loop, world.random);
    this.#world = world;
    this.ledger = ledger;
    this.paper = paper;
    paper.onState = () => this.#deviceState();
  }

  protected boot(): HostMachine {
    this.#images.clear();
    this.#expected = undefined;
    return new HostMachine(
      {
        printer: "kitchen",
        model: "sim",
        widthDots: 576,
        resolutionDpi: 203,
        hostUrl: "http://127.0.0.1:6311",
        hostIncarnation: this.incarnation,
        ledgerRecords: this.#world.plan.ledgerRecords,
        bootId: `boot${this.life}`,
        timers: defaultTimers,
      },
      this.ledger.restore(),
    );
  }

  protected booted(): void {
    this.#world.network.want(this.name, "server", true);
    this.#world.network.nodeStarted(this.name);
    this.later(this.random.int(1, 500), () => this.#deviceState());
    this.dispatch({ kind: "woke" });
  }

  protected powerLost(): void {
    this.ledger.powerLoss();
    this.paper.hostDied();
    this.#world.network.nodeDied(this.name);
  }

  protected writeLatencyMs(): number {
    return this.#world.plan.writeLatencyMs;
  }

  protected durable(effect: HostEffect): (() => void) | undefined {
    if (effect.kind !== "persist") return undefined;
    const records = this.#kept(effect.records);
    return () => {
      this.ledger.write(records);
      this.ledger.sync();
    };
  }

  /** Handed to the disk, never synced: `powerLoss` decides what is left of it. */
  protected override interrupted(effect: HostEffect): void {
    if (effect.kind === "persist") this.ledger.write(this.#kept(effect.records));
  }

  #kept(records: readonly LedgerRecord[]): readonly LedgerRecord[] {
    const lost = lostStates[this.#world.mutant ?? ""];
    return lost === undefined ? records : records.filter((record) => record.kind !== "job" || record.state !== lost);
  }

  #deviceState(): void {
    if (!this.alive) return;
    const { ready } = this.paper;
    const state = ready ? { state: "idle" as const, reasons: [] } : { state: "stopped" as const, reasons: ["offline"] };
    this.dispatch({ kind: "deviceStateChanged", ready, state });
  }

  /** The HTTP door: only the upload that is expected comes in. */
  receiveImage(jobId: string, uploadId: string, digest: string): boolean {
    if (!this.alive || this.#expected?.uploadId !== uploadId || this.#expected.jobId !== jobId) return false;
    this.#expected = undefined;
    this.#images.set(jobId, digest);
    this.dispatch({ kind: "imageReceived", jobId, uploadId, sha256: digest, sizeBytes: 1_000, widthDots: 576 });
    return true;
  }

  protected perform(effect: HostEffect): void {
    const world = this.#world;
    switch (effect.kind) {
      case "sendMessage":
        return world.network.send(this, world.nameOf(effect.to), effect.message);
      case "expectImage":
        this.#expected = { jobId: effect.ticket.jobId, uploadId: effect.uploadId };
        return;
      case "dropImage":
        this.#images.delete(effect.jobId);
        if (this.#expected?.jobId === effect.jobId) this.#expected = undefined;
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
        if (effect.detail === "ledger-full" && effect.jobId !== undefined && !world.network.faulty) {
          world.waitsForLedger.add(effect.jobId);
        }
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

/** Which record each mutant forgets to make durable. */
const lostStates: Readonly<Record<string, string>> = {
  "no-intent": "intent",
  "end-not-durable": "printed",
  "cancel-not-durable": "canceled",
};
