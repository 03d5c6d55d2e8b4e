import type { SimClock } from "./clock.ts";
import type { DrawerPulse, Sound } from "./printer-state.ts";
import type { Step } from "./step.ts";

const REMEMBERED = 1000;

/** What hangs on the printer's other connectors: drawers and the buzzer. */
export class Peripherals {
  readonly pulses: DrawerPulse[] = [];
  readonly sounds: Sound[] = [];
  private readonly clock: SimClock;
  /** When the supply has recovered from the latest pulse. */
  private readyMs = 0;

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  /** ESC p: after what was printed before it, after the pulse before it; the paper stands while the solenoid pulls. */
  bufferedPulse(pin: number, onMs: number, offMs: number): readonly Step[] {
    return [
      { kind: "pause", ms: () => Math.max(0, this.readyMs - this.clock.nowMs()) },
      { kind: "marker", fire: () => this.pulse(pin, onMs, offMs) },
      { kind: "pause", ms: () => onMs },
    ];
  }

  /** DLE DC4 fn 1: at once, or not at all while another pulse is being sent. */
  realTimePulse(pin: number, ms: number): void {
    if (this.clock.nowMs() >= this.readyMs) this.pulse(pin, ms, ms);
  }

  /** A new sound ends the one before it. */
  sound(sound: Omit<Sound, "atMs">): void {
    this.sounds.push({ atMs: this.clock.nowMs(), ...sound });
    if (this.sounds.length > REMEMBERED) this.sounds.shift();
  }

  private pulse(pin: number, onMs: number, offMs: number): void {
    const atMs = this.clock.nowMs();
    this.readyMs = atMs + onMs + offMs;
    this.pulses.push({ atMs, pin, onMs, offMs });
    if (this.pulses.length > REMEMBERED) this.pulses.shift();
  }
}
