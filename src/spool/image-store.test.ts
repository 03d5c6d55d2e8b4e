import { createHash, randomBytes, randomInt } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import { nodeFileSystem } from "./file-system.ts";
import { type ImageDigest, type ImageStore, openImageStore } from "./image-store.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const first = "1f0c9a7e-k3x9q2-1";
const second = "1f0c9a7e-k3x9q2-2";
const third = "1f0c9a7e-k3x9q2-3";
const maxImageBytes = 1024 * 1024;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function digestOf(bytes: Uint8Array): ImageDigest {
  return { sizeBytes: bytes.length, sha256: sha256(bytes) };
}

async function* chunked(bytes: Uint8Array, chunkBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

/** Numbers from 0 to below 1 out of a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("image store on a real disk", () => {
  let folder: string;
  let store: ImageStore;
  const image = new Uint8Array(randomBytes(150_000));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "twinspool-images-"));
    store = await openImageStore(folder, { maxImageBytes });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("keeps an image under its job id, whole and private", async () => {
    await store.receive(first, chunked(image), digestOf(image));
    expect(await readdir(folder)).toEqual([first]);
    expect(Buffer.compare(await store.readAll(first, maxImageBytes), image)).toBe(0);
    expect(store.has(first)).toBe(true);
    expect(store.sizeBytes(first)).toBe(image.length);
    expect(store.usedBytes()).toBe(image.length);
    expect(await store.verify(first, sha256(image))).toBe("intact");
    const again = await openImageStore(folder, { maxImageBytes });
    expect(again.usedBytes()).toBe(image.length);
    expect(again.has(first)).toBe(true);
  });

  it("takes the same image again without counting it twice", async () => {
    await store.receive(first, chunked(image), digestOf(image));
    const shorter = image.subarray(0, 1000);
    await Promise.all([
      store.receive(first, chunked(image), digestOf(image)),
      store.receive(second, chunked(shorter), digestOf(shorter)),
    ]);
    expect(store.usedBytes()).toBe(image.length + 1000);
  });

  it.each([
    ["shorter than announced", { sizeBytes: 150_001 }, "image-wrong-size"],
    ["longer than announced", { sizeBytes: 149_999 }, "image-wrong-size"],
    ["with another digest", { sha256: "0".repeat(64) }, "image-wrong-digest"],
    ["larger than the limit", { sizeBytes: maxImageBytes + 1 }, "image-too-large"],
  ])("refuses an image %s and leaves nothing behind", async (_, wrong, expected) => {
    await expect(store.receive(first, chunked(image), { ...digestOf(image), ...wrong })).rejects.toEqual(
      code(expected),
    );
    expect(await readdir(folder)).toEqual([]);
    expect(store.usedBytes()).toBe(0);
    expect(store.has(first)).toBe(false);
  });

  it("stops reading a sender that does not end", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 1000;
        yield new Uint8Array(1000);
      }
    }
    await expect(store.receive(first, endless(), digestOf(image))).rejects.toEqual(code("image-wrong-size"));
    expect(sent).toBe(151_000);
  });

  it("passes on what the sender's stream threw", async () => {
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield image.subarray(0, 5000);
      throw new Error("connection reset");
    }
    await expect(store.receive(first, cut(), digestOf(image))).rejects.toThrow("connection reset");
    expect(await readdir(folder)).toEqual([]);
  });

  it("shows the head once, whatever the chunks, before the rest is taken", async () => {
    for (const chunkBytes of [1, 999, 4096, 100_000]) {
      const heads: Uint8Array[] = [];
      const part = image.subarray(0, 6000);
      await store.receive(first, chunked(part, chunkBytes), digestOf(part), (head) => void heads.push(head.slice()));
      expect(heads).toEqual([image.slice(0, 4096)]);
    }
    const small = image.subarray(0, 10);
    const heads: number[] = [];
    await store.receive(second, chunked(small), digestOf(small), (head) => void heads.push(head.length));
    expect(heads).toEqual([10]);
    const refusal = new TwinspoolError("image-wrong-width");
    const refuse = () => {
      throw refusal;
    };
    await expect(store.receive(third, chunked(image), digestOf(image), refuse)).rejects.toBe(refusal);
    expect(store.has(third)).toBe(false);
  });

  it("lets no job id out of its folder", async () => {
    for (const id of ["../evil", "1f0c9a7e-k3x9q2-1/../../x", "quarantine", "", "1F0C9A7E-K3X9Q2-1", `${first}\n`]) {
      const refused = code("request-invalid");
      await expect(store.receive(id, chunked(image), digestOf(image))).rejects.toEqual(refused);
      await expect(store.readAll(id, 10)).rejects.toEqual(refused);
      await expect(store.erase(id)).rejects.toEqual(refused);
      await expect(store.quarantine(id)).rejects.toEqual(refused);
      const writer = await store.create();
      await expect(writer.finish(id)).rejects.toEqual(refused);
      await writer.discard();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("keeps images made here, and forgets discarded ones", async () => {
    const writer = await store.create();
    await writer.write(image.subarray(0, 70_000));
    expect(store.usedBytes()).toBe(70_000);
    await writer.write(image.subarray(70_000));
    expect(store.has(first)).toBe(false);
    expect(await writer.finish(first)).toEqual(digestOf(image));
    await writer.discard();
    await expect(writer.write(image)).rejects.toEqual(code("internal"));
    await expect(writer.finish(first)).rejects.toEqual(code("internal"));
    const other = await store.create();
    await other.write(image);
    await expect(other.write(new Uint8Array(maxImageBytes))).rejects.toEqual(code("image-too-large"));
    await other.discard();
    await other.discard();
    expect(await readdir(folder)).toEqual([first]);
    expect(store.usedBytes()).toBe(image.length);
  });

  it("erases, also what is not there", async () => {
    await store.receive(first, chunked(image), digestOf(image));
    await store.erase(first);
    await store.erase(first);
    expect(store.usedBytes()).toBe(0);
    await expect(store.readAll(first, maxImageBytes)).rejects.toEqual(code("image-missing"));
    expect(await store.verify(first, sha256(image))).toBe("missing");
  });

  it("reads no more than allowed", async () => {
    await store.receive(first, chunked(image), digestOf(image));
    await expect(store.readAll(first, image.length - 1)).rejects.toEqual(code("image-too-large"));
    expect((await store.readAll(first, image.length)).length).toBe(image.length);
    for await (const part of store.read(first)) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
  });

  it("finds a damaged image and moves it aside", async () => {
    await store.receive(first, chunked(image), digestOf(image));
    await writeFile(join(folder, first), image.subarray(1));
    expect(await store.verify(first, sha256(image))).toBe("damaged");
    const aside = await store.quarantine(first);
    expect((await readFile(aside)).length).toBe(image.length - 1);
    expect(store.has(first)).toBe(false);
    expect(store.usedBytes()).toBe(0);
    await expect(store.quarantine(first)).rejects.toEqual(code("disk-failed"));
  });

  it("sweeps after a start: unfinished files go, unknown images into quarantine, the rest stays", async () => {
    const formerLife = await openImageStore(folder, { maxImageBytes });
    await (await formerLife.create()).write(image);
    await formerLife.receive(first, chunked(image), digestOf(image));
    await formerLife.receive(second, chunked(image), digestOf(image));
    await writeFile(join(folder, "notes.txt"), "of a person");
    store = await openImageStore(folder, { maxImageBytes });
    const writer = await store.create();
    await writer.write(image);
    expect(await store.sweep([first, third])).toEqual({ quarantined: [second], missing: [third] });
    expect(store.usedBytes()).toBe(2 * image.length);
    await writer.finish(third);
    expect((await readdir(folder)).sort()).toEqual([first, third, "notes.txt", "quarantine"].sort());
    const names = await readdir(join(folder, "quarantine"));
    expect(names).toEqual([expect.stringMatching(new RegExp(`^${second}\\.`))]);
    expect(await store.sweep([first, third])).toEqual({ quarantined: [], missing: [] });
  });

  it("says that the disk failed when the folder is gone", async () => {
    await rm(folder, { recursive: true });
    await expect(store.create()).rejects.toEqual(code("disk-failed"));
    await expect(store.sweep([])).rejects.toEqual(code("disk-failed"));
    await writeFile(folder, "no folder");
    await expect(openImageStore(folder, { maxImageBytes })).rejects.toEqual(code("disk-failed"));
    await expect(store.erase(first)).rejects.toEqual(code("disk-failed"));
  });
});

describe("node's file system", () => {
  it("makes folders at any depth, creates files only once and tells sizes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "twinspool-fs-"));
    try {
      const deep = join(folder, "a", "b", "c");
      await nodeFileSystem.makeFolder(deep);
      await nodeFileSystem.makeFolder(deep);
      const path = join(deep, "file");
      const file = await nodeFileSystem.open(path, "create");
      await file.write(new Uint8Array([1, 2, 3]), 2);
      await file.datasync();
      const buffer = new Uint8Array(10);
      expect(await file.read(buffer, 1)).toBe(4);
      await file.close();
      await expect(nodeFileSystem.open(path, "create")).rejects.toThrow("EEXIST");
      expect(await nodeFileSystem.size(path)).toBe(5);
      expect(await nodeFileSystem.size(deep)).toBeUndefined();
      expect(await nodeFileSystem.size(join(deep, "none"))).toBeUndefined();
      await expect(nodeFileSystem.size(join(path, "below"))).rejects.toThrow();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("image store on a disk that fails", () => {
  const folder = "/spool/images";
  const kept = new Uint8Array(randomBytes(3000));
  const coming = new Uint8Array(randomBytes(5000));

  async function prepared(): Promise<{ disk: SimulatedDisk; store: ImageStore }> {
    const disk = new SimulatedDisk();
    const store = await openImageStore(folder, { maxImageBytes, fileSystem: disk });
    await store.receive(first, chunked(kept), digestOf(kept));
    return { disk, store };
  }

  async function operationsOf(work: (store: ImageStore) => Promise<unknown>): Promise<number> {
    const { disk, store } = await prepared();
    const before = disk.operations;
    await work(store);
    return disk.operations - before;
  }

  const receiveComing = (store: ImageStore) => store.receive(second, chunked(coming), digestOf(coming));

  it.each(["ENOSPC", "EDQUOT", "EIO"])(
    "shows nothing half when any one operation fails with %s",
    async (systemCode) => {
      const operations = await operationsOf(receiveComing);
      expect(operations).toBeGreaterThan(7);
      for (let failing = 0; failing < operations; failing++) {
        const { disk, store } = await prepared();
        disk.failAfter(failing, systemCode);
        // The last operation makes the name durable; after that failure nothing that was done counts.
        const last = failing === operations - 1;
        const expected = systemCode === "EIO" || last ? "disk-failed" : "disk-full";
        await expect(receiveComing(store), `operation ${failing}`).rejects.toEqual(code(expected));
        expect(disk.paths().sort()).toEqual([`${folder}/${first}`, ...(last ? [`${folder}/${second}`] : [])]);
        expect(await store.verify(first, sha256(kept))).toBe("intact");
        expect(store.usedBytes()).toBe(kept.length + (last ? coming.length : 0));
        // Free space again: the same store goes on.
        await receiveComing(store);
        expect(await store.verify(second, sha256(coming))).toBe("intact");
      }
    },
  );

  it("says so when reading, erasing or sweeping fails", async () => {
    for (const work of [
      (store: ImageStore) => store.readAll(first, maxImageBytes),
      (store: ImageStore) => store.verify(first, sha256(kept)),
      (store: ImageStore) => store.erase(first),
      (store: ImageStore) => store.quarantine(first),
      (store: ImageStore) => store.sweep([]),
    ]) {
      const operations = await operationsOf(work);
      for (let failing = 0; failing < operations; failing++) {
        const { disk, store } = await prepared();
        disk.failAfter(failing, "EIO");
        await expect(work(store)).rejects.toEqual(code("disk-failed"));
      }
    }
    const { disk } = await prepared();
    for (const name of ["incoming-0123456789abcdef.tmp", "incoming-0123456789abcdeg.tmp"]) {
      await (await disk.open(`${folder}/${name}`, "create")).close();
    }
    const store = await openImageStore(folder, { maxImageBytes, fileSystem: disk });
    disk.failAfter(1, "EIO");
    await expect(store.sweep([first])).rejects.toEqual(code("disk-failed"));
    await store.sweep([first]);
    expect(disk.paths()).toEqual([`${folder}/${first}`]);
  });

  it("has after a power cut at any moment every image that was accepted, and no half one", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    const random = randomOf(seed);
    const operations = await operationsOf(receiveComing);
    for (let cut = 0; cut <= operations; cut++) {
      for (let round = 0; round < 40; round++) {
        const { disk, store } = await prepared();
        disk.failAfter(cut, "CRASH");
        const accepted = await receiveComing(store).then(
          () => true,
          () => false,
        );
        const rebooted = disk.afterPowerCut(random);
        const again = await openImageStore(folder, { maxImageBytes, fileSystem: rebooted });
        await again.sweep([first, second]);
        const about = `TEST_SEED=${seed}, cut before operation ${cut}`;
        expect(await again.verify(first, sha256(kept)), about).toBe("intact");
        const found = await again.verify(second, sha256(coming));
        expect(accepted ? ["intact"] : ["intact", "missing"], about).toContain(found);
        expect(rebooted.paths().filter((path) => path.endsWith(".tmp"))).toEqual([]);
      }
    }
  });
});
