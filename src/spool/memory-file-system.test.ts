import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { openImageStore } from "./image-store.ts";
import { memoryFileSystem } from "./memory-file-system.ts";

const jobId = "c11e47aa-life01-1";

it("an image store works in memory as on a disk", async () => {
  const fileSystem = memoryFileSystem();
  const store = await openImageStore("/spool", { maxImageBytes: 1_000_000, fileSystem });
  const bytes = new Uint8Array(200_000).map((_, index) => index % 251);
  const writer = await store.create();
  for (let at = 0; at < bytes.length; at += 7_001) await writer.write(bytes.subarray(at, at + 7_001));
  const digest = await writer.finish(jobId);
  expect(digest).toEqual({ sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
  expect(await store.verify(jobId, digest.sha256)).toBe("intact");
  const again = await openImageStore("/spool", { maxImageBytes: 1_000_000, fileSystem });
  expect([again.has(jobId), again.usedBytes()]).toEqual([true, bytes.length]);
  await store.erase(jobId);
  await expect(store.readAll(jobId, 10)).rejects.toEqual(expect.objectContaining({ code: "image-missing" }));
  await store.erase(jobId);
});
