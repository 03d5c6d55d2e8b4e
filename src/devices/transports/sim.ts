import type { InProcessConnection, Simulator, SimulatorOptions } from "../../../firmware-sim/mod.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** The simulated printer in this process. It lives from the first `open` to `dispose`, whatever happens to links. */
export class SimTransport implements Transport {
  readonly #options: SimulatorOptions;
  #simulator: Promise<Simulator> | undefined;
  #connection: InProcessConnection | undefined;

  constructor(options: SimulatorOptions) {
    this.#options = options;
  }

  /** The simulator behind this transport, started when it was not. */
  simulator(): Promise<Simulator> {
    // Loaded only when it is used: a print box with real printers never needs it.
    this.#simulator ??= import("../../../firmware-sim/mod.ts").then((sim) => sim.startSimulator(this.#options));
    return this.#simulator;
  }

  async open(events: TransportEvents): Promise<void> {
    await this.close();
    try {
      const connection = (await this.simulator()).connect();
      this.#connection = connection;
      connection.onData((bytes) => {
        if (this.#connection === connection) events.onData(bytes);
      });
      connection.onClose(() => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        events.onClose("the simulated printer ended the connection");
      });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new TwinspoolError("device-unavailable", text, { cause: error });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const accepted = await this.#connection?.write(bytes);
    if (accepted !== true) throw new TwinspoolError("device-unavailable", "the simulated printer is gone");
  }

  close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
    return Promise.resolve();
  }

  async dispose(): Promise<void> {
    await this.close();
    await (await this.#simulator)?.close();
  }
}
