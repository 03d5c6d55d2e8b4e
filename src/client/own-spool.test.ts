import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { describe, expect, it } from "vitest";
import { decideKeeping, whyDiskless } from "./own-spool.ts";

const roomy = { isDurable: true, level: "ok", reason: "", crowded: undefined, serverLinked: true } as const;
const nearFull = { ...roomy, level: "near-full", reason: "81 % are used" } as const;
const full = { ...roomy, level: "full", reason: "91 % are used" } as const;
const crowded = { ...roomy, crowded: "2 MiB more would exceed the quota" } as const;
const alone = { serverLinked: false } as const;
const diskless = { ...roomy, isDurable: false } as const;

describe("whether a client keeps the image", () => {
  it.each([
    ["both", roomy, { keep: true }],
    ["server", roomy, { keep: false }],
    ["both", nearFull, { keep: false, without: "its spool is near-full: 81 % are used" }],
    ["client", nearFull, { keep: true }],
    // Narrowed it would have no copy at all: the wider choice stands.
    ["both", { ...nearFull, ...alone }, { keep: true }],
    ["both", full, { keep: false, without: "its spool is full: 91 % are used" }],
    ["both", crowded, { keep: false, without: "its spool is full: 2 MiB more would exceed the quota" }],
    ["both", diskless, { keep: false, without: "this client has no disk" }],
    ["server", { ...diskless, ...alone }, { keep: false }],
  ] as const)("%s, %j", (spools, own, keeping) => {
    expect(decideKeeping(spools, own)).toEqual(keeping);
  });

  it.each([
    ["client", full, "spool-full"],
    ["client", crowded, "spool-full"],
    ["both", { ...full, ...alone }, "spool-full"],
    ["client", diskless, "spool-missing"],
  ] as const)("%s, %j is refused: %s", (spools, own, code) => {
    expect(() => decideKeeping(spools, own)).toThrow(expect.objectContaining({ code }));
  });
});

describe("a client's folder", () => {
  it("is made where it can be, and other troubles are no missing disk", async () => {
    const folder = mkdtempSync(join(tmpdir(), "twinspool-own-"));
    try {
      expect(await whyDiskless(join(folder, "deep", "client"))).toBeUndefined();
      writeFileSync(join(folder, "file"), "");
      expect(await whyDiskless(join(folder, "file"))).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  // The kernel's own file system takes no folders, whoever asks.
  it.runIf(platform === "linux")("that nobody can make says why", async () => {
    expect(await whyDiskless("/sys/twinspool/client")).toMatch(/^\/sys\/twinspool\/client \(E(PERM|ACCES|ROFS)\)$/);
  });
});
