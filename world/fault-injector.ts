import { ClientNode } from "./client-node.ts";
import { HostNode } from "./host-node.ts";
import type { Fault, NodeName } from "./plan.ts";
import type { ServerNode } from "./server-node.ts";
import type { World, WorldNode } from "./world.ts";

/** Makes the faults of a plan happen, and ends them. */
export class FaultInjector {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    for (const node of world.nodes) node.onFatal = () => this.#crash(node, world.random.pick([1_000, 5_000]));
    for (const fault of world.plan.faults) this.#schedule(fault);
  }

  /** Faults stop; who is not gone for good comes back. */
  heal(): void {
    const { network, nodes, hosts } = this.#world;
    network.faulty = false;
    for (const node of nodes) {
      node.diskFull = false;
      loadNetwork(node, false);
    }
    this.#setSpoolLevel("ok");
    for (const { paper } of hosts) {
      paper.setPower(true);
      paper.setPaper(true);
    }
    for (const node of nodes) {
      node.onEffect = undefined;
      node.start();
    }
  }

  #schedule(fault: Fault): void {
    const world = this.#world;
    if (fault.kind === "crash-at-effect") return this.#crashAtEffect(fault.node, fault.effect, fault.downMs);
    world.loop.at(fault.atMs, () => this.#begin(fault));
    if (!("downMs" in fault)) return;
    world.loop.at(fault.atMs + fault.downMs, () => this.#end(fault));
  }

  #begin(fault: Exclude<Fault, { kind: "crash-at-effect" }>): void {
    const world = this.#world;
    switch (fault.kind) {
      case "crash":
        return this.#crash(world.node(fault.node), fault.downMs);
      case "cut":
        return world.network.cut(world.node(fault.a), world.node(fault.b), fault.downMs);
      case "printer-power":
        return world.host(fault.printer).paper.setPower(false);
      case "paper-out":
        return world.host(fault.printer).paper.setPaper(false);
      case "paused":
        return world.server.pause(world.printerName(fault.printer));
      case "never-returns": {
        const node = world.node(fault.node);
        node.gone = true;
        return node.crash();
      }
      case "disk-full":
        world.node(fault.node).diskFull = true;
        return;
      case "image-rot":
        return this.#rotImage(world.node(fault.node));
      case "ledger-rot":
        return world.host(fault.printer).ledger.rot();
      case "ledger-lost": {
        const host = world.host(fault.printer);
        this.#crash(host, fault.downMs);
        return host.ledger.lose();
      }
      case "network-load":
        return loadNetwork(world.node(fault.node), true);
      case "spool-full":
        return this.#setSpoolLevel(fault.level);
      case "clock-jump":
        world.node(fault.node).wallOffsetMs += fault.byMs;
    }
  }

  #end(fault: Fault): void {
    const world = this.#world;
    switch (fault.kind) {
      case "printer-power":
        return world.host(fault.printer).paper.setPower(true);
      case "paper-out":
        return world.host(fault.printer).paper.setPaper(true);
      case "paused":
        return world.server.resume(world.printerName(fault.printer));
      case "disk-full":
        world.node(fault.node).diskFull = false;
        return;
      case "network-load":
        return loadNetwork(world.node(fault.node), false);
      case "spool-full":
        return this.#setSpoolLevel("ok");
    }
  }

  #setSpoolLevel(level: "ok" | "near-full" | "full"): void {
    const { server } = this.#world;
    if (server.alive) server.dispatch({ kind: "spoolLevelChanged", level, reason: level });
    if (level === "ok") for (const client of this.#world.clients) client.freeSpool();
  }

  #rotImage(node: WorldNode): void {
    if (node instanceof HostNode) return;
    const { images } = node.spool;
    if (images.size === 0) return;
    const [jobId, digest] = this.#world.random.pick([...images]);
    images.set(jobId, `rotten ${digest}`);
    this.#world.rotten.add(jobId);
  }

  /** Printers of one host process share its power. */
  #crash(node: WorldNode, downMs: number): void {
    if (!node.alive) return;
    const { loop, hosts, plan } = this.#world;
    const together =
      node instanceof HostNode
        ? hosts.filter((host) => plan.printers[host.printer] === plan.printers[node.printer])
        : [node];
    for (const each of together) each.crash();
    loop.after(downMs, () => {
      for (const each of together) each.start();
    });
  }

  #crashAtEffect(name: NodeName, effect: number, downMs: number): void {
    const node = this.#world.node(name);
    const others = node.onEffect;
    let done = false;
    node.onEffect = () => {
      others?.();
      if (done || node.effectsDone < effect || !node.alive) return;
      done = true;
      this.#crash(node, downMs);
    };
  }
}

function loadNetwork(node: WorldNode | ServerNode, loaded: boolean): void {
  if (node instanceof HostNode) return;
  if (node instanceof ClientNode) node.loadNetwork(loaded);
  else node.loadNetwork(loaded);
}
