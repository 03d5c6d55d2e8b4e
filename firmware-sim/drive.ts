import type { DotRow } from "./bits.ts";

/** What motor and head of a model can do. */
export interface DriveTraits {
  /** Of the motor from standstill. */
  readonly accelerationMmPerS2: number;
  /**
   * [share of black dots in a row, share of the full speed], both ascending in the first; between two points the
   * straight line holds. The supply feeds only so many dots at once, so a black row takes longer than a white one.
   */
  readonly speedByDuty: readonly (readonly [duty: number, speed: number])[];
  readonly ambientC: number;
  /** What a row of all black dots adds each second, were it printed at full speed. */
  readonly heatingCPerS: number;
  /** Time in which the difference to the surroundings falls to 1/e. */
  readonly coolingS: number;
  /** The head stops here, an error that recovers by itself ... */
  readonly stopsAtC: number;
  /** ... here. */
  readonly resumesAtC: number;
}

/** 130 mm/s to a quarter of the dots, 61 at one half, 38 at solid black, as shares of the full speed. */
export const THERMAL_DRIVE: DriveTraits = {
  accelerationMmPerS2: 9000,
  speedByDuty: [
    [0.25, 1],
    [0.5, 61 / 130],
    [1, 38 / 130],
  ],
  ambientC: 25,
  heatingCPerS: 8.3,
  coolingS: 20,
  stopsAtC: 70,
  resumesAtC: 60,
};

/** The share of the full speed at which a row with this share of black dots prints. */
export function speedShare(traits: DriveTraits, duty: number): number {
  let [beforeDuty, beforeSpeed] = traits.speedByDuty[0] ?? [0, 1];
  if (duty <= beforeDuty) return beforeSpeed;
  for (const [atDuty, atSpeed] of traits.speedByDuty) {
    if (duty <= atDuty && atDuty > beforeDuty) {
      return beforeSpeed + ((atSpeed - beforeSpeed) * (duty - beforeDuty)) / (atDuty - beforeDuty);
    }
    [beforeDuty, beforeSpeed] = [atDuty, atSpeed];
  }
  return beforeSpeed;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/** The share of black dots in a row. */
export function dutyOf(row: DotRow, widthDots: number): number {
  let ones = 0;
  for (let at = 0; at < row.length; at += 1) ones += ONES[row[at] ?? 0] ?? 0;
  return ones / widthDots;
}

/** The same for each of several rows; one that is repeated is counted once. */
export function dutiesOf(rows: readonly DotRow[], widthDots: number): Float64Array {
  const duties = new Float64Array(rows.length);
  let duty = 0;
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at];
    if (row !== undefined && row !== rows[at - 1]) duty = dutyOf(row, widthDots);
    duties[at] = duty;
  }
  return duties;
}

interface DriveGeometry {
  readonly dpi: number;
  readonly speedMmPerS: number;
  readonly drive: DriveTraits;
}

interface DriveControl {
  /** A share of the full speed. */
  readonly speed: number;
  /** Energy of a dot, in shares of the standard. */
  readonly density: number;
}

/** How a row passes. */
interface Move {
  duty: number;
  /** Speed before it, what the motor is told, and what it reaches. */
  from: number;
  wanted: number;
  speed: number;
  ms: number;
}

function newMove(): Move {
  return { duty: Number.NaN, from: 0, wanted: 0, speed: 0, ms: 0 };
}

/** Speed of the paper and temperature of the head, row by row. Knows durations, not the time of day. */
export class Drive {
  private readonly geometry: DriveGeometry;
  private readonly traits: DriveTraits;
  private readonly rowMm: number;
  private speedMmPerS = 0;
  private temperature: number;
  private times = 1;
  private driveControl: DriveControl = { speed: 1, density: 1 };
  private move: Move = newMove();
  private cooling = { ms: 0, factor: 1 };

  constructor(geometry: DriveGeometry) {
    this.geometry = geometry;
    this.traits = geometry.drive;
    this.rowMm = 25.4 / geometry.dpi;
    this.temperature = geometry.drive.ambientC;
  }

  /** How many times slower than the model the printer is. */
  set slowness(times: number) {
    this.times = times;
    this.move = newMove();
  }

  /** GS ( K. */
  set control(control: DriveControl) {
    this.driveControl = control;
    this.move = newMove();
  }

  get temperatureC(): number {
    return this.temperature;
  }

  get isHot(): boolean {
    return this.temperature >= this.traits.stopsAtC;
  }

  /** The same motor and head, to look ahead with. */
  clone(): Drive {
    const copy = new Drive(this.geometry);
    copy.speedMmPerS = this.speedMmPerS;
    copy.temperature = this.temperature;
    copy.times = this.times;
    copy.driveControl = this.driveControl;
    return copy;
  }

  /** The motor stands. */
  stop(): void {
    this.speedMmPerS = 0;
  }

  heatTo(temperatureC: number): void {
    this.temperature = Math.max(this.temperature, temperatureC);
  }

  coolDown(): void {
    this.temperature = this.traits.ambientC;
  }

  /** Time that passes without a row. */
  rest(ms: number): void {
    this.cool(ms);
  }

  /** How long the head takes to cool down far enough to go on. */
  get recoveryMs(): number {
    const { ambientC, resumesAtC, coolingS } = this.traits;
    if (this.temperature <= resumesAtC) return 0;
    return coolingS * 1000 * Math.log((this.temperature - ambientC) / (resumesAtC - ambientC));
  }

  /** How long the next row takes. */
  rowMs(duty: number): number {
    return this.moveOf(duty).ms;
  }

  /** The next row is done, in `rowMs`. */
  passRow(duty: number): void {
    const { ms, speed } = this.moveOf(duty);
    this.speedMmPerS = speed;
    this.cool(ms);
    const energy = duty * this.driveControl.density;
    this.temperature += (energy * this.traits.heatingCPerS * this.rowMm) / this.geometry.speedMmPerS;
  }

  /** Neighbours are alike: the last row is worked out once, for its time and for its passing, and for those like it. */
  private moveOf(duty: number): Move {
    const { move } = this;
    const from = this.speedMmPerS;
    if (move.duty === duty && move.from === from) return move;
    if (move.duty !== duty) move.wanted = this.wantedSpeed(duty);
    move.duty = duty;
    move.from = from;
    this.reach(move);
    return move;
  }

  private wantedSpeed(duty: number): number {
    const { speed: limit, density } = this.driveControl;
    // The supply feeds only so much energy at once, however it is spread: a darker print is a slower one.
    const share = Math.min(limit, speedShare(this.traits, Math.min(1, duty * density)));
    return (this.geometry.speedMmPerS * share) / this.times;
  }

  /** Speeds up by the motor's acceleration; slowing down costs nothing. */
  private reach(move: Move): void {
    const { from, wanted } = move;
    const { accelerationMmPerS2 } = this.traits;
    move.speed = wanted;
    if (from >= wanted) {
      move.ms = (1000 * this.rowMm) / wanted;
      return;
    }
    const rampMm = (wanted * wanted - from * from) / (2 * accelerationMmPerS2);
    if (rampMm <= this.rowMm) {
      move.ms = 1000 * ((wanted - from) / accelerationMmPerS2 + (this.rowMm - rampMm) / wanted);
      return;
    }
    move.speed = Math.sqrt(from * from + 2 * accelerationMmPerS2 * this.rowMm);
    move.ms = (2000 * this.rowMm) / (from + move.speed);
  }

  private cool(ms: number): void {
    const { ambientC, coolingS } = this.traits;
    if (ms !== this.cooling.ms) this.cooling = { ms, factor: Math.exp(-ms / (1000 * coolingS)) };
    this.temperature = ambientC + (this.temperature - ambientC) * this.cooling.factor;
  }
}
