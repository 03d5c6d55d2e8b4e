import { type BackChannel, EXTENDED_STATUS } from "./back-channel.ts";
import type { Peripherals } from "./peripherals.ts";
import type { RealTimeCommand } from "./realtime-scanner.ts";
import { automaticStatus, type Conditions, isError, realTimeStatus } from "./status.ts";

interface RealTimeActions {
  /** What the sensors say at this moment, the paper brought up to it. */
  conditions(): Conditions;
  switchOff(connection: number): void;
  pressFeedButton(): void;
  recover(clearing: boolean): void;
  clearBuffers(connection: number): void;
}

/** Functions of DLE DC4 that work without GS ( D: only the drawer. */
const ARMED_AT_POWER_ON = [1];

/** Carries out what was received with priority over everything that waits. */
export class RealTimeControl {
  private readonly backChannel: BackChannel;
  private readonly peripherals: Peripherals;
  private readonly actions: RealTimeActions;
  /** Functions of DLE DC4 that GS ( D lets through. */
  private armed = new Set(ARMED_AT_POWER_ON);

  constructor(backChannel: BackChannel, peripherals: Peripherals, actions: RealTimeActions) {
    this.backChannel = backChannel;
    this.peripherals = peripherals;
    this.actions = actions;
  }

  /** GS ( D. */
  arm(fn: number, armed: boolean): void {
    if (armed) this.armed.add(fn);
    else this.armed.delete(fn);
  }

  /** Power on and ESC @. */
  disarm(): void {
    this.armed = new Set(ARMED_AT_POWER_ON);
  }

  run(command: RealTimeCommand, connection: number): void {
    const { backChannel, peripherals, actions, armed } = this;
    switch (command.kind) {
      case "transmit-status":
        backChannel.sendStatus(connection, realTimeStatus(command.n, actions.conditions()));
        break;
      case "transmit-asb":
        backChannel.send(connection, automaticStatus(actions.conditions()));
        break;
      case "transmit-extended-asb":
        backChannel.send(connection, EXTENDED_STATUS);
        break;
      case "transmit-offline-response":
        backChannel.respondOffline(connection, actions.conditions());
        break;
      case "power-off":
        if (armed.has(2)) actions.switchOff(connection);
        break;
      case "pulse":
        // The manual leaves it undone while there is an error.
        if (armed.has(1) && !isError(actions.conditions())) peripherals.realTimePulse(command.pin, command.onMs);
        break;
      case "sound":
        if (armed.has(3)) peripherals.sound(command.sound);
        break;
      case "press-feed-button":
        actions.pressFeedButton();
        break;
      case "recover":
        actions.recover(command.clearing);
        break;
      case "clear-buffers":
        actions.clearBuffers(connection);
        break;
      case "no-operation":
        break;
    }
  }
}
