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
  for (const byte of row) ones += ONES[byte] ?? 0;
  return ones / widthDots;
}

interface DriveGeometry {
  readonly dpi: number;
  readonly speedMmPerS: number;
  readonly drive: DriveTraits;
}

/** Speed of the paper and temperature of the head, row by row. Knows durations, not the time of day. */
export class Drive {
  private readonly geometry: DriveGeometry;
  private readonly traits: DriveTraits;
  private readonly rowMm: number;
  private speedMmPerS = 0;
  private temperature: number;
  /** How many times slower than the model the printer is. */
  slowness = 1;
  /** GS ( K. */
  control: { readonly speed: number; readonly density: number } = { speed: 1, density: 1 };

  constructor(geometry: DriveGeometry) {
    this.geometry = geometry;
    this.traits = geometry.drive;
    this.rowMm = 25.4 / geometry.dpi;
    this.temperature = geometry.drive.ambientC;
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
    copy.slowness = this.slowness;
    copy.control = this.control;
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
    return this.move(duty).ms;
  }

  /** The next row is done, in `rowMs`. */
  passRow(duty: number): void {
    const { ms, speed } = this.move(duty);
    this.speedMmPerS = speed;
    this.cool(ms);
    const energy = duty * this.control.density;
    this.temperature += (energy * this.traits.heatingCPerS * this.rowMm) / this.geometry.speedMmPerS;
  }

  /** Speeds up by the motor's acceleration; slowing down costs nothing. */
  private move(duty: number): { readonly ms: number; readonly speed: number } {
    const { speed: limit, density } = this.control;
    // The supply feeds only so much energy at once, however it is spread: a darker print is a slower one.
    const share = Math.min(limit, speedShare(this.traits, Math.min(1, duty * density)));
    const wanted = (this.geometry.speedMmPerS * share) / this.slowness;
    const from = this.speedMmPerS;
    if (from >= wanted) return { ms: (1000 * this.rowMm) / wanted, speed: wanted };
    const { accelerationMmPerS2 } = this.traits;
    const rampMm = (wanted * wanted - from * from) / (2 * accelerationMmPerS2);
    if (rampMm <= this.rowMm) {
      return { ms: 1000 * ((wanted - from) / accelerationMmPerS2 + (this.rowMm - rampMm) / wanted), speed: wanted };
    }
    const speed = Math.sqrt(from * from + 2 * accelerationMmPerS2 * this.rowMm);
    return { ms: (2000 * this.rowMm) / (from + speed), speed };
  }

  private cool(ms: number): void {
    const { ambientC, coolingS } = this.traits;
    this.temperature = ambientC + (this.temperature - ambientC) * Math.exp(-ms / (1000 * coolingS));
  }
}
