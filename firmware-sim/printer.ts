import { BackChannel, EXTENDED_STATUS, type Reply } from "./back-channel.ts";
import type { Cancel, SimClock } from "./clock.ts";
import type { Fault } from "./faults.ts";
import { Interpreter, type InterpreterOutput } from "./interpreter.ts";
import { Mechanism } from "./mechanism.ts";
import { NvMemory, PrinterMemory } from "./memory.ts";
import { PaperRoll } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { Peripherals } from "./peripherals.ts";
import type { HostConnection, HostLink } from "./ports/port.ts";
import type { DrawerPulse, PrinterEvents, PrinterState, Sound } from "./printer-state.ts";
import { type Profile, withSwitches } from "./profiles.ts";
import { RealTimeControl } from "./real-time-control.ts";
import { Reception } from "./reception.ts";
import { ALL_WELL, type Conditions, isOffline, isStopped, SENSED_FAULTS } from "./status.ts";

/** Bytes interpreted before others get a turn. */
const BYTES_PER_TURN = 4096;
/** How far beyond its limit a fault heats the head. */
const OVERHEAT_C = 10;
const REMEMBERED_DIAGNOSTICS = 1000;
const NO_BYTES = new Uint8Array(0);

/** The whole printer: reception, interpreter, mechanism, sensors and back channel, on one clock. */
export class Printer {
  readonly diagnostics: Diagnostic[] = [];
  readonly paper: PaperRoll;
  private readonly profile: Profile;
  private readonly clock: SimClock;
  private readonly events: PrinterEvents;
  private readonly reception: Reception;
  private readonly mechanism: Mechanism;
  private readonly interpreter: Interpreter;
  private readonly memory: PrinterMemory;
  private readonly peripherals: Peripherals;
  private readonly backChannel: BackChannel;
  private conditions = ALL_WELL;
  private power = true;
  private link = true;
  private currentConnection = 0;
  private pumpScheduled = false;
  private readonly realTime: RealTimeControl;
  /** Switched off by its host, with its interfaces still under power. */
  private standby = false;
  /** Paper is stuck in the path. */
  private jammed = false;
  /** Ends the wait for the head to cool down. */
  private cooled: Cancel | undefined;
  /** ESC c 4. */
  private stopsNearEnd = false;
  /** GS ^ m = 1: what the feed button sets going. */
  private awaitedButton: (() => void) | undefined;
  /** GS ( E fn 2 has been carried out, and its reset not yet. */
  private restartDue = false;

  constructor(profile: Profile, clock: SimClock, events: PrinterEvents, nv: NvMemory = new NvMemory()) {
    this.profile = profile;
    this.clock = clock;
    this.events = events;
    this.backChannel = new BackChannel(clock);
    this.reception = new Reception(profile, this.backChannel, {
      isListening: () => this.power,
      isOffline: () => isOffline(this.conditions),
      realTime: (command, connection) => this.realTime.run(command, connection),
      received: () => {
        if (this.canInterpret) this.wake();
      },
    });
    this.memory = new PrinterMemory(profile.memory.macroBytes, nv);
    this.obeySwitches();
    this.peripherals = new Peripherals(clock);
    this.realTime = new RealTimeControl(this.backChannel, this.peripherals, {
      conditions: () => {
        this.mechanism.advance();
        return this.conditions;
      },
      switchOff: (connection) => this.switchOff(connection),
      pressFeedButton: () => {
        if (this.awaitedButton !== undefined) this.pressAwaitedButton();
      },
      recover: (clearing) => this.recover(clearing),
      clearBuffers: (connection) => {
        if (!profile.supports.clearBuffer) return;
        this.clearBuffers();
        this.backChannel.respond(connection, "clear", [0x37, 0x25, 0x00]);
      },
    });
    this.paper = new PaperRoll(profile, (page) => {
      nv.cuts += 1;
      events.page(page);
    });
    nv.startMeters(() => this.paper.headRow / profile.dpi, clock);
    this.mechanism = new Mechanism(profile, clock, this.paper, {
      room: () => this.wake(),
      paperEnded: () => this.setConditions({ paperEnd: true }),
      cutterFailed: () => this.setConditions({ cutterError: true }),
      headHot: (recoveryMs) => this.pauseUntilCool(recoveryMs),
    });
    this.interpreter = new Interpreter(
      profile,
      this.interpreterOutput(),
      () => !this.mechanism.hasRoom || this.restartDue,
    );
  }

  get pulses(): readonly DrawerPulse[] {
    return this.peripherals.pulses;
  }

  get sounds(): readonly Sound[] {
    return this.peripherals.sounds;
  }

  get replies(): readonly Reply[] {
    return this.backChannel.replies;
  }

  get reachable(): boolean {
    return this.power && this.link;
  }

  get state(): PrinterState {
    this.mechanism.advance();
    const { connections, receivedBytes, bufferedBytes, lostBytes, isWaiting } = this.reception;
    return {
      power: this.power,
      link: this.link,
      online: this.power && !isOffline(this.conditions),
      conditions: this.conditions,
      connections,
      receivedBytes,
      bufferedBytes,
      lostBytes,
      queuedRows: this.mechanism.rowsWaiting,
      headTemperatureC: this.mechanism.headTemperatureC,
      headRow: this.paper.headRow,
      idle: !isWaiting && bufferedBytes === 0 && !this.interpreter.replaying && this.mechanism.idle,
    };
  }

  /** A host has connected. Only while `reachable`. */
  attach(link: HostLink): HostConnection {
    return this.reception.attach(link);
  }

  /** What was received and has not reached the paper is thrown away; power stays on (SOFT_RESET of the USB class). */
  softReset(): void {
    if (this.power) this.clearBuffers();
  }

  /** Ends every connection and stops the mechanism for good. */
  shutDown(): void {
    this.reception.dropAll();
    this.mechanism.halt();
    this.power = false;
  }

  fail(fault: Fault): void {
    switch (fault.kind) {
      case "paper-end":
        this.mechanism.advance();
        this.endPaper(fault.atRow);
        break;
      case "paper-loaded":
        this.paper.load();
        this.setConditions({ paperEnd: false, paperNearEnd: false });
        break;
      case "cutter-jam":
      case "cutter-freed":
        this.mechanism.cutterJammed = fault.kind === "cutter-jam";
        break;
      case "power-cut":
        this.cutPower();
        break;
      case "power-on":
        this.restore(() => this.switchOn());
        break;
      case "link-cut":
        this.cutLink();
        break;
      case "link-restored":
        this.restore(() => {
          this.link = true;
        });
        break;
      case "hot-head":
        this.mechanism.heatHead(this.profile.drive.stopsAtC + OVERHEAT_C);
        break;
      case "head-cooled":
        this.mechanism.coolHeadDown();
        this.setConditions({ headHot: false });
        break;
      case "paper-jam":
        this.jammed = true;
        this.setConditions({ mechanicalError: true });
        break;
      case "jam-cleared":
        this.jammed = false;
        break;
      case "lost-bytes":
      case "corrupted-bytes":
      case "line-clean":
        this.reception.disturb(fault);
        break;
      case "mute":
      case "unmute":
        this.backChannel.muted = fault.kind === "mute";
        break;
      case "slow":
      case "full-speed":
        this.mechanism.slowDown(fault.kind === "slow" ? (fault.times ?? 10) : 1);
        break;
      case "feed-button":
        this.feedByButton();
        break;
      default:
        this.setConditions(SENSED_FAULTS[fault.kind]);
    }
  }

  /** The printer is offline while its button feeds, and the button does nothing while it is offline or printing. */
  private feedByButton(): void {
    this.mechanism.advance();
    // Waiting for its button a macro hears it even where ESC c 5 has disabled it, and the paper is not fed.
    if (this.awaitedButton !== undefined) {
      this.pressAwaitedButton();
      return;
    }
    if (!this.interpreter.engine.modes.panelButtons) return;
    if (!this.power || isOffline(this.conditions) || !this.mechanism.idle) return;
    const { defaultSpacingUnits, verticalUnitsPerInch, dpi } = this.profile;
    this.setConditions({ feeding: true });
    this.mechanism.push({ kind: "feed", dots: Math.round((defaultSpacingUnits * dpi) / verticalUnitsPerInch) });
    this.mechanism.push({ kind: "marker", fire: () => this.setConditions({ feeding: false }) });
  }

  private pressAwaitedButton(): void {
    if (!this.power || isStopped(this.conditions)) return;
    const pressed = this.awaitedButton;
    this.awaitedButton = undefined;
    this.setConditions({ waitingForButton: false });
    pressed?.();
  }

  private endPaper(atRow: number | undefined): void {
    this.paper.endAt(Math.max(atRow ?? 0, this.paper.headRow));
    // At the very row the sensor reports at once; further on the mechanism finds out when it gets there.
    if (this.paper.rowsLeft === 0) this.setConditions({ paperEnd: true });
    else this.mechanism.replan();
  }

  private cutPower(): void {
    if (!this.power && !this.standby) return;
    this.mechanism.halt();
    this.mechanism.clear();
    this.power = false;
    this.standby = false;
    this.reception.dropAll();
    this.forgetSettings();
    this.obeySwitches();
    this.conditions = {
      ...this.conditions,
      waitingForButton: false,
      nearEndStop: false,
      cutterError: false,
      mechanicalError: this.jammed,
      unrecoverableError: false,
      feeding: false,
    };
    this.events.reachable(false);
  }

  /** What was wrong with the mechanism is found out anew. */
  private switchOn(): void {
    if (!this.power) this.conditions = { ...this.conditions, mechanicalError: this.jammed, cutterError: false };
    this.power = true;
    this.standby = false;
  }

  private cutLink(): void {
    if (!this.link) return;
    this.link = false;
    this.reception.dropAll();
    this.events.reachable(false);
  }

  private restore(change: () => void): void {
    const before = this.reachable;
    change();
    if (this.power && !isStopped(this.conditions)) this.mechanism.resume();
    this.reception.updateBusy();
    this.wake();
    if (!before && this.reachable) this.events.reachable(true);
  }

  private setConditions(sensed: Partial<Conditions>): void {
    const before = this.conditions;
    const nearEndStop = this.stopsNearEnd && (sensed.paperNearEnd ?? before.paperNearEnd);
    const change = { ...sensed, nearEndStop };
    if (isStopped({ ...before, ...change })) this.mechanism.halt();
    // Halting may itself have met the end of the paper.
    const after = { ...this.conditions, ...change };
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    this.conditions = after;
    if (!this.power) return;
    this.reception.updateBusy();
    this.backChannel.conditionsChanged(before, after);
    if (isStopped(after)) return;
    this.mechanism.resume();
    this.wake();
  }

  /** Head temperature is an error that recovers by itself. */
  private pauseUntilCool(recoveryMs: number): void {
    this.cooled?.();
    this.cooled = this.clock.schedule(this.clock.nowMs() + recoveryMs, () => {
      this.cooled = undefined;
      this.setConditions({ headHot: false });
    });
    this.setConditions({ headHot: true });
  }

  private interpreterOutput(): InterpreterOutput {
    return {
      push: (step) => this.mechanism.push(step),
      reply: (bytes) => {
        this.backChannel.send(this.currentConnection, bytes);
      },
      processIdResponse: (id) => {
        const connection = this.currentConnection;
        return () => this.backChannel.respond(connection, "processId", [0x37, 0x22, ...id, 0x00]);
      },
      setOfflineResponse: (mode) => this.backChannel.setOfflineResponse(this.currentConnection, mode),
      setAutomaticStatus: (n) => this.backChannel.setAutomaticStatus(this.currentConnection, n, this.conditions),
      setExtendedStatus: (enabled) => {
        if (enabled) this.backChannel.send(this.currentConnection, EXTENDED_STATUS);
      },
      armRealTime: (fn, armed) => this.realTime.arm(fn, armed),
      initialized: () => {
        this.backChannel.clearAutomaticStatus();
        this.realTime.disarm();
        this.stopsNearEnd = false;
        this.mechanism.push({ kind: "marker", fire: () => this.mechanism.control(1, 1) });
      },
      pulse: (pin, onMs, offMs) => {
        for (const step of this.peripherals.bufferedPulse(pin, onMs, offMs)) this.mechanism.push(step);
      },
      sound: (sound) => this.peripherals.sound(sound),
      setDrive: (speed, density) => {
        this.mechanism.push({ kind: "marker", fire: () => this.mechanism.control(speed, density) });
      },
      stopNearEnd: (stops) => {
        this.stopsNearEnd = stops;
        this.setConditions({});
      },
      waitForButton: (pressed) => {
        this.awaitedButton = pressed;
        this.setConditions({ waitingForButton: true });
      },
      goOn: () => this.wake(),
      restart: () => {
        this.restartDue = true;
      },
      memory: this.memory,
      conditions: () => this.conditions,
      diagnosed: (diagnostic) => {
        this.diagnostics.push(diagnostic);
        if (this.diagnostics.length > REMEMBERED_DIAGNOSTICS) this.diagnostics.shift();
      },
    };
  }

  /** DLE DC4 fn 2: tells the host and is dead to everything until it is switched on again. */
  private switchOff(id: number): void {
    this.backChannel.send(id, [0x3b, 0x30, 0x00]);
    this.mechanism.halt();
    this.clearBuffers();
    this.backChannel.forget();
    this.backChannel.clearAutomaticStatus();
    this.realTime.disarm();
    this.power = false;
    this.standby = true;
    this.reception.dropWaiting();
  }

  /** DLE ENQ 1 goes on with the failed step, DLE ENQ 2 after throwing everything away. */
  private recover(clearing: boolean): void {
    const { cutterError, mechanicalError } = this.conditions;
    const cutter = cutterError && !this.mechanism.cutterJammed;
    const jam = mechanicalError && !this.jammed;
    if (!cutter && !jam) return;
    if (clearing) this.clearBuffers();
    this.setConditions({ cutterError: cutterError && !cutter, mechanicalError: mechanicalError && !jam });
  }

  private clearBuffers(): void {
    this.mechanism.clear();
    this.reception.clear();
    this.interpreter.clear();
    this.awaitedButton = undefined;
    this.setConditions({ waitingForButton: false });
    this.wake();
  }

  /** Nothing that commands chose is left, as at power on. */
  private forgetSettings(): void {
    this.interpreter.reset();
    this.memory.restart();
    this.mechanism.control(1, 1);
    this.awaitedButton = undefined;
    this.restartDue = false;
    this.stopsNearEnd = false;
    this.realTime.disarm();
    this.backChannel.forget();
  }

  /** GS ( E fn 2: as at power on, with the connections as they are. */
  private restart(): void {
    this.forgetSettings();
    this.clearBuffers();
    this.obeySwitches();
    this.backChannel.clearAutomaticStatus();
    // Msw 1-1: the power-on notice.
    if (this.memory.nv.isOn(1, 1)) this.backChannel.sendToAll([0x3b, 0x31, 0x00]);
  }

  /** The memory switches count from power on. */
  private obeySwitches(): void {
    const { nv } = this.memory;
    const profile = withSwitches(this.profile, (bank, number) => nv.isOn(bank, number));
    this.reception.configure(profile);
    // Without BUSY for it, hosts are told on their own that the printer goes offline (GS a).
    this.backChannel.defaultStatus = profile.supports.asb && !profile.busyWhenOffline ? 2 : 0;
  }

  /** Interpretation goes on in a turn of its own, never inside the call that made it possible. */
  private wake(): void {
    if (this.pumpScheduled) return;
    this.pumpScheduled = true;
    this.clock.schedule(this.clock.nowMs(), () => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    this.mechanism.advance();
    for (let taken = 0; taken < BYTES_PER_TURN; ) {
      // Offline, input stays in the receive buffer and queries in it stay unanswered.
      if (!this.power || isOffline(this.conditions)) break;
      const run = this.reception.peek();
      if (run === undefined) {
        if (this.interpreter.replaying) this.interpreter.feed(NO_BYTES);
        break;
      }
      this.currentConnection = run.origin;
      const count = this.interpreter.feed(run.bytes);
      this.reception.drop(count);
      taken += count;
      if (count < run.bytes.length) break;
    }
    if (this.restartDue) this.restart();
    if (!this.power) return;
    this.reception.admitWaiting();
    if (this.canInterpret) this.wake();
  }

  private get canInterpret(): boolean {
    return (
      this.power &&
      (this.reception.bufferedBytes > 0 || this.interpreter.replaying) &&
      !isOffline(this.conditions) &&
      !this.interpreter.waiting &&
      this.mechanism.hasRoom
    );
  }
}
