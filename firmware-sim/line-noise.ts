import type { Fault } from "./faults.ts";

type Noise = Extract<Fault, { kind: "lost-bytes" | "corrupted-bytes" | "line-clean" }>;

const DEFAULT_SHARE = 0.01;
const DEFAULT_SEED = 1;

/** A bad cable: loses or changes a share of the bytes, the same ones for the same seed however they arrive. */
export class LineNoise {
  private noise: Noise = { kind: "line-clean" };
  private state = DEFAULT_SEED;

  become(noise: Noise): void {
    this.noise = noise;
    this.state = (noise.kind === "line-clean" ? undefined : noise.seed) ?? DEFAULT_SEED;
  }

  apply(bytes: Uint8Array): Uint8Array {
    if (this.noise.kind === "line-clean") return bytes;
    const { kind, share = DEFAULT_SHARE } = this.noise;
    const heard: number[] = [];
    for (const byte of bytes) {
      const hit = this.random() < share;
      const bit = Math.floor(this.random() * 8);
      if (!hit) heard.push(byte);
      else if (kind === "corrupted-bytes") heard.push(byte ^ (1 << bit));
    }
    return Uint8Array.from(heard);
  }

  /** A Weyl sequence through a mixing function: small, and the same everywhere. */
  private random(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}
