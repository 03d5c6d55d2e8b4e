import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFastClock, type Simulator, startSimulator } from "../../firmware-sim/mod.ts";
import { openClient } from "../../src/client/client.ts";
import { openHost } from "../../src/devices/host/host.ts";
import { loadConfig } from "../../src/runtime/config.ts";
import type { Config } from "../../src/runtime/config-schema.ts";
import { publishEndpoint } from "../../src/runtime/endpoint-file.ts";
import { startListener } from "../../src/runtime/listener.ts";
import { createLog } from "../../src/runtime/log.ts";
import { openServer } from "../../src/server/server.ts";

const log = createLog("silent", "test");
type Flags = Readonly<Record<string, unknown>>;

/** Short timers, so that silence is noticed within a test's patience. They decide speed, never safety. */
const timers = { "timers.serverSilentMs": 1500, "timers.startTimeoutMs": 1500, "timers.evidenceTimeoutMs": 1000 };

export interface ClientDoor {
  readonly url: string;
  readonly config: Config;
  close(): Promise<void>;
}

/** Printer, print box and clients in the process of the test, each over its own real door. */
export class InnerBox {
  readonly folder: string;
  readonly simulator: Simulator;
  readonly url: string;
  readonly #close: (() => Promise<void>)[];

  private constructor(folder: string, simulator: Simulator, url: string, close: (() => Promise<void>)[]) {
    this.folder = folder;
    this.simulator = simulator;
    this.url = url;
    this.#close = close;
  }

  static async start(flags: Flags = {}): Promise<InnerBox> {
    const folder = mkdtempSync(join(tmpdir(), "twinspool-box-"));
    const simulator = await startSimulator({ profile: "tm-m30iii", clock: createFastClock(), tcpPort: 0 });
    const printers = [{ name: "kitchen", uri: `socket://127.0.0.1:${simulator.port}`, model: "tm-m30iii" }];
    const config = await loadConfig({
      env: {},
      argvFlags: { data: join(folder, "box"), printers, "listen.port": 0, ...timers, ...flags },
    });
    const server = await openServer({ config, log });
    const host = await openHost({ config, log });
    const listener = await startListener({ ...config.listen, key: config.key, log }, (routes) => {
      host.mount(routes);
      server.mount(routes);
    });
    server.start();
    host.start({ hostBaseUrl: listener.url, serverUrl: listener.url });
    const close = [() => listener.close(), () => host.close(), () => server.close(), () => simulator.close()];
    return new InnerBox(folder, simulator, listener.url, close);
  }

  /** The data folder and the server, as a client of this name has them. */
  clientFlags(name: string): Flags {
    return { data: join(this.folder, name), name, server: this.url, ...timers };
  }

  /** A client process, as far as its doors can tell. */
  async startClient(name: string, flags: Flags = {}): Promise<ClientDoor> {
    const config = await loadConfig({ env: {}, argvFlags: { ...this.clientFlags(name), ...flags } });
    const client = await openClient({ config, log });
    const listener = await startListener({ address: "127.0.0.1", port: 0, key: config.key, log }, (routes) =>
      client.mount(routes),
    );
    const unpublish = await publishEndpoint(config.data, "client", { url: listener.url, pid: process.pid });
    client.start();
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      unpublish();
      await listener.close();
      await client.close();
    };
    this.#close.unshift(close);
    return { url: listener.url, config, close };
  }

  async close(): Promise<void> {
    for (const close of this.#close) await close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Hands a document to a client door, and gives its job id once the job is accepted. */
export async function submitTo(door: ClientDoor, document: string | Uint8Array, query: string): Promise<string> {
  const response = await fetch(`${door.url}/api/documents?${query}`, { method: "PUT", body: Buffer.from(document) });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const step = await reader?.read();
    if (step === undefined || step.done) throw new Error(`not accepted: ${text}`);
    text += step.value;
    const line = text.split("\n").find((candidate) => candidate.includes('"accepted"'));
    if (line === undefined) continue;
    await reader?.cancel();
    return String((JSON.parse(line) as { jobId: string }).jobId);
  }
}
