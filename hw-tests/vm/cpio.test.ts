import { describe, expect, it } from "vitest";
import { type CpioEntry, cpioParts } from "./cpio.ts";

/** The entries of an archive, read by the description in cpio(5) and not by the writer's own code. */
function entriesOf(archive: Buffer): { name: string; mode: number; text: string }[] {
  const found: { name: string; mode: number; text: string }[] = [];
  const aligned = (at: number): number => Math.ceil(at / 4) * 4;
  for (let at = 0; at < archive.length; ) {
    const field = (index: number): number =>
      Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const nameEnd = at + 110 + field(11);
    const dataAt = aligned(nameEnd);
    const name = archive.toString("utf8", at + 110, nameEnd - 1);
    found.push({ name, mode: field(1), text: archive.toString("utf8", dataAt, dataAt + field(6)) });
    at = aligned(dataAt + field(6));
  }
  return found;
}

describe("the archive the kernel unpacks", () => {
  it.each([0, 1, 2, 3, 4, 5])("keeps its alignment behind a file of %i bytes", (length) => {
    const entries: CpioEntry[] = [
      { kind: "folder", path: "bin" },
      { kind: "file", path: "bin/a", bytes: Buffer.alloc(length, "x") },
      { kind: "link", path: "bin/later", target: "a" },
    ];
    const archive = Buffer.concat([...cpioParts(entries)]);
    expect(archive.length % 4).toBe(0);
    expect(entriesOf(archive)).toEqual([
      { name: "bin", mode: 0o040755, text: "" },
      { name: "bin/a", mode: 0o100755, text: "x".repeat(length) },
      { name: "bin/later", mode: 0o120777, text: "a" },
      { name: "TRAILER!!!", mode: 0, text: "" },
    ]);
  });
});
