import { describe, expect, it } from "vitest";
import { withBestMask } from "./qr-mask.ts";
import { encodeMatrix } from "./symbol-encoder.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

function randomText(seed: number, length: number, alphabet: number): string {
  let state = seed | 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return String.fromCharCode(alphabet === 256 ? state >>> 24 : 48 + ((state >>> 16) % alphabet));
  }).join("");
}

function ours(text: string, options: Record<string, string | number | boolean>): unknown {
  return withBestMask(encodeMatrix("qrcode", text, { ...options, mask: 1 }));
}

function theirs(text: string, options: Record<string, string | number | boolean>): unknown {
  const { columns, rows, modules } = encodeMatrix("qrcode", text, options);
  return { columns, rows, modules: Uint8Array.from(modules) };
}

describe("the mask of a QR Code", () => {
  it.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    "is the one that the encoder chooses in version %i",
    (version) => {
      // All levels where the encoder is quick, and one where it takes its time.
      for (const eclevel of version <= 10 ? ["L", "M", "Q", "H"] : ["LMQH"[(SEED + version) % 4] ?? "L"]) {
        const text = randomText(SEED + version, 1 + (SEED % 7), 256);
        const options = { binarytext: true, eclevel, version: String(version) };
        expect(ours(text, options), `SEED=${SEED} level ${eclevel}`).toEqual(theirs(text, options));
      }
    },
  );

  it.each([10, 42, 256])("is the one that the encoder chooses for %i kinds of characters", (alphabet) => {
    for (let length = 1; length < 150; length += 3) {
      const options = { binarytext: true, eclevel: "LMQH"[length % 4] ?? "L" };
      const text = randomText(SEED + length, length, alphabet);
      expect(ours(text, options), `SEED=${SEED} length ${length}`).toEqual(theirs(text, options));
    }
  });
});
