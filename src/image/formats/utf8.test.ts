import { describe, expect, test } from "vitest";
import { codeOf, inChunks, makeRandom, pickSeed } from "../test-support.ts";
import { decodeUtf8 } from "./utf8.ts";

async function decode(bytes: Uint8Array, chunkBytes = 7): Promise<string> {
  let text = "";
  for await (const codePoints of decodeUtf8(inChunks(bytes, chunkBytes))) text += String.fromCodePoint(...codePoints);
  return text;
}

describe("good text", () => {
  test.each([1, 2, 3, 1000])("in chunks of %i bytes", async (size) => {
    const text = "A\té\u07ff\u0800か漢\ud7ff\ue000\uffff\u{10000}😀\u{10ffff}\r\n\f\v";
    expect(await decode(Buffer.from(text), size)).toBe(text);
  });

  test("a byte order mark is passed over, but only at the beginning", async () => {
    expect(await decode(Buffer.from("\ufeffa\ufeffb"))).toBe("a\ufeffb");
  });
});

describe("bad text", () => {
  test.each<[string, readonly number[], string]>([
    ["NUL", [0x61, 0x00], "byte 1 of the text is the control character 00h"],
    ["ESC", [0x1b, 0x40], "byte 0 of the text is the control character 1Bh ESC, as raw printer commands"],
    ["a lone continuation", [0x61, 0x80], "byte 1 of the text is 80h"],
    ["an overlong form of two", [0xc0, 0x80], "byte 0 of the text is C0h"],
    [
      "an overlong form of three",
      [0xe0, 0x9f, 0x80],
      "byte 1 of the text is 9Fh within the character that begins at byte 0",
    ],
    ["an overlong form of four", [0xf0, 0x8f, 0x80, 0x80], "byte 1"],
    ["a surrogate", [0xed, 0xa0, 0x80], "byte 1"],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80], "byte 1"],
    ["F5h", [0xf5, 0x80, 0x80, 0x80], "byte 0"],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9, 0x20], "byte 4 of the text is 20h within"],
    ["Shift_JIS", [0x93, 0xfa, 0x96, 0x7b], "Shift_JIS or Latin-1 must be converted first"],
  ])("%s", async (_, bytes, reason) => {
    await expect(decode(Uint8Array.from(bytes), 1)).rejects.toThrow(reason);
  });

  test("a character cut at the end is told as truncated", async () => {
    for (const bytes of [[0xc3], [0xe3, 0x81], [0xf0, 0x9f, 0x98]]) {
      expect(await codeOf(decode(Uint8Array.from(bytes)))).toBe("document-truncated");
    }
  });

  test("random bytes are judged as the platform's own decoder does", async () => {
    const seed = pickSeed();
    const random = makeRandom(seed);
    const lead = [0x41, 0xc3, 0xe0, 0xe3, 0xed, 0xef, 0xf0, 0xf4, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf];
    for (let round = 0; round < 3000; round += 1) {
      const bytes = Uint8Array.from({ length: 1 + random(6) }, () => lead[random(lead.length)] ?? 0);
      let expected: string | undefined;
      try {
        expected = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch {
        expected = undefined;
      }
      const seen = await decode(bytes, 1 + random(3)).catch(() => undefined);
      expect(seen, `TEST_SEED=${seed} round ${round}: ${bytes}`).toBe(expected);
    }
  });
});
