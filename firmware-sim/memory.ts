import type { SimClock } from "./clock.ts";
import type { Alignment } from "./line-buffer.ts";
import { type Picture, pictureBytes } from "./pictures.ts";
import type { SavedModes } from "./saved-modes.ts";

/** Graphics under a key of two characters. */
export type KeyedPictures = Map<string, Picture>;

export type LogoPlace = "top" | "bottom";

/** FS ( E: NV graphics that stand on every receipt. */
interface Logo {
  readonly key: string;
  readonly alignment: Alignment;
}

/** What NV memory holds; written as JSON. */
interface StoredNv {
  readonly version: 1;
  readonly graphics: readonly (readonly [key: string, picture: StoredPicture])[];
  readonly images: readonly StoredPicture[];
  readonly records: readonly (readonly [key: string, base64: string])[];
  readonly switches: readonly (readonly [bank: number, bits: string])[];
  readonly values: readonly (readonly [number: number, value: number])[];
  readonly serialSettings: readonly (readonly [number: number, text: string])[];
  readonly totals: readonly (readonly [counter: number, value: number])[];
  readonly offsets: readonly (readonly [counter: number, value: number])[];
  /** Files of earlier versions have none. */
  readonly logos?: readonly (readonly [place: LogoPlace, logo: Logo])[];
  readonly savedModes?: SavedModes;
  readonly loadsSavedModes?: boolean;
}

interface StoredPicture {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly base64: string;
}

/** Everything that survives a power cut. */
export class NvMemory {
  /** GS ( L 67/68. */
  readonly graphics: KeyedPictures = new Map();
  /** FS q. */
  images: Picture[] = [];
  /** GS ( C. */
  readonly records = new Map<string, Uint8Array>();
  /** GS ( E fn 3: eight characters a bank, switch 8 first. */
  readonly switches = new Map<number, string>();
  /** GS ( E fn 5. */
  readonly values = new Map<number, number>();
  /** GS ( E fn 11. */
  readonly serialSettings = new Map<number, string>();
  /** FS ( E fn 62 and 63. */
  readonly logos = new Map<LogoPlace, Logo>();
  /** GS ( M fn 1. */
  savedModes: SavedModes | undefined;
  /** GS ( M fn 3: they are loaded at every initialization. */
  loadsSavedModes = false;
  /** Maintenance counters, without what the meters of this run add. */
  private readonly totals = new Map<number, number>();
  /** GS g 0: what the resettable counters are ahead of the total. */
  private readonly offsets = new Map<number, number>();
  private readonly onChange: () => void;
  /** Pieces of paper cut since the simulator started. */
  cuts = 0;
  private meters: () => ReadonlyMap<number, number> = () => new Map();

  constructor(onChange: () => void = () => {}) {
    this.onChange = onChange;
  }

  /** A memory switch of GS ( E, both numbered from 1. */
  isOn(bank: number, number: number): boolean {
    return this.switches.get(bank)?.[8 - number] === "1";
  }

  /** To be called after every change. */
  changed(): void {
    this.onChange();
  }

  /** What counts in this run (GS g): 20 lines of paper fed, 50 cuts, 70 hours in use. */
  startMeters(fedInches: () => number, clock: SimClock): void {
    const startedMs = clock.nowMs();
    this.meters = () =>
      new Map([
        [20, Math.floor(fedInches() * 6)],
        [50, this.cuts],
        [70, Math.floor((clock.nowMs() - startedMs) / 3_600_000)],
      ]);
  }

  /** GS g 2: below 128 the counter that can be set, above it the cumulative one. Undefined: no such counter. */
  counter(number: number): number | undefined {
    const kind = number & 0x7f;
    const metered = this.meters().get(kind);
    if (metered === undefined) return undefined;
    const total = (this.totals.get(kind) ?? 0) + metered;
    return number < 128 ? total + (this.offsets.get(kind) ?? 0) : total;
  }

  /** GS g 0. */
  setCounter(number: number, value: number): boolean {
    const total = number < 128 ? this.counter(number | 0x80) : undefined;
    if (total === undefined) return false;
    this.offsets.set(number, value - total);
    this.changed();
    return true;
  }

  toJson(): string {
    const totals = [...this.meters().keys()].map((kind) => [kind, this.counter(kind | 0x80) ?? 0] as const);
    const stored: StoredNv = {
      version: 1,
      graphics: [...this.graphics].map(([key, picture]) => [key, storePicture(picture)]),
      images: this.images.map(storePicture),
      records: [...this.records].map(([key, bytes]) => [key, Buffer.from(bytes).toString("base64")]),
      switches: [...this.switches],
      values: [...this.values],
      serialSettings: [...this.serialSettings],
      totals,
      offsets: [...this.offsets],
      ...(this.savedModes === undefined ? {} : { savedModes: this.savedModes }),
      loadsSavedModes: this.loadsSavedModes,
      logos: [...this.logos],
    };
    return `${JSON.stringify(stored)}\n`;
  }

  /** Takes over what `toJson` wrote; throws when it is something else. */
  load(json: string): void {
    const stored = JSON.parse(json) as StoredNv;
    if (stored.version !== 1) throw new Error("not the NV memory of a printer simulator, or of another version");
    for (const [key, picture] of stored.graphics) this.graphics.set(key, restorePicture(picture));
    this.images = stored.images.map(restorePicture);
    for (const [key, base64] of stored.records) this.records.set(key, Uint8Array.from(Buffer.from(base64, "base64")));
    for (const [bank, bits] of stored.switches) this.switches.set(bank, bits);
    for (const [number, value] of stored.values) this.values.set(number, value);
    for (const [number, text] of stored.serialSettings) this.serialSettings.set(number, text);
    for (const [counter, value] of stored.totals) this.totals.set(counter, value);
    for (const [place, logo] of stored.logos ?? []) this.logos.set(place, logo);
    this.savedModes = stored.savedModes;
    this.loadsSavedModes = stored.loadsSavedModes === true;
    for (const [counter, value] of stored.offsets) this.offsets.set(counter, value);
  }
}

/** The macro of GS : and GS ^. */
class MacroMemory {
  /** GS : longer definitions lose their end. */
  private readonly limitBytes: number;
  defined = new Uint8Array(0);
  /** What has been received since GS : began a definition. */
  recording: number[] | undefined;
  /** Rounds that are still to be replayed. */
  repeat = 0;
  /** GS ^: what each round waits for. */
  pace: { readonly intervalMs: number; readonly byButton: boolean } = { intervalMs: 0, byButton: false };

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  record(bytes: ArrayLike<number>): void {
    if (this.recording === undefined) return;
    for (let at = 0; at < bytes.length && this.recording.length < this.limitBytes; at += 1) {
      this.recording.push(bytes[at] ?? 0);
    }
  }

  /** The buffers are cleared: neither a definition nor a replay goes on. */
  stop(): void {
    this.recording = undefined;
    this.repeat = 0;
  }

  clear(): void {
    this.stop();
    this.defined = new Uint8Array(0);
  }
}

/** Both memories of a printer besides its buffers. */
export class PrinterMemory {
  readonly nv: NvMemory;
  /** GS ( L 83/84: lost with the power and by ESC @. */
  readonly downloaded: KeyedPictures = new Map();
  /** GS *. */
  bitImage: Picture | undefined;
  /** GS ( L 112/113 with multiple tone, until fn 50. */
  readonly tonePlanes: (Picture | undefined)[] = [];
  /** ESC @ leaves macros alone. */
  readonly macros: MacroMemory;
  /** GS ( E fn 1: true within the user setting mode. */
  userSetting = false;
  /** GS ( K: print density, speed and the like, by function. */
  readonly printControl = new Map<number, number>();
  /** FS ( E fn 65. */
  readonly logosOff = new Set<LogoPlace>();
  /** Blocks of a long answer that wait for the host's ACK. */
  untransmitted: (readonly number[])[] = [];

  constructor(macroBytes: number, nv: NvMemory = new NvMemory()) {
    this.macros = new MacroMemory(macroBytes);
    this.nv = nv;
  }

  /** ESC @. */
  initialize(): void {
    this.downloaded.clear();
    this.bitImage = undefined;
    this.tonePlanes.length = 0;
    this.printControl.clear();
    this.untransmitted = [];
  }

  /** Power off, or GS ( E fn 2: only what is non-volatile is left. */
  restart(): void {
    this.initialize();
    this.macros.clear();
    this.logosOff.clear();
    this.userSetting = false;
  }
}

export function usedBytes(pictures: Iterable<Picture>): number {
  let bytes = 0;
  for (const picture of pictures) bytes += pictureBytes(picture);
  return bytes;
}

function storePicture(picture: Picture): StoredPicture {
  return {
    widthDots: picture.widthDots,
    heightDots: picture.rows.length,
    base64: Buffer.concat(picture.rows).toString("base64"),
  };
}

function restorePicture({ widthDots, heightDots, base64 }: StoredPicture): Picture {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  const stride = (widthDots + 7) >> 3;
  return {
    widthDots,
    rows: Array.from({ length: heightDots }, (_, row) => bytes.slice(row * stride, (row + 1) * stride)),
  };
}
