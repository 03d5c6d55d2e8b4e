import { mkdir, open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "./paper.ts";
import { pngPieces } from "./png.ts";

/** A folder that gets a PNG for every piece of paper. */
export class PaperFolder {
  private readonly folder: string;
  private nextNumber: number;
  /** Files are written one after another, in the order of the cuts. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, nextNumber: number) {
    this.folder = folder;
    this.nextNumber = nextNumber;
  }

  /** Makes the folder when it is not there; numbering goes on after the tickets already in it. */
  static async open(folder: string): Promise<PaperFolder> {
    await mkdir(folder, { recursive: true });
    const numbers = (await readdir(folder)).map((name) => Number(/^ticket-(\d+)\.png$/.exec(name)?.[1] ?? 0));
    return new PaperFolder(folder, Math.max(0, ...numbers) + 1);
  }

  /** Writes the next `ticket-NNNN.png`; resolves with its path. */
  writeTicket(page: Page): Promise<string> {
    const name = `ticket-${String(this.nextNumber).padStart(4, "0")}.png`;
    this.nextNumber += 1;
    return this.write(name, page);
  }

  /** Writes what hangs out of the printer to `uncut.png`. */
  writeUncut(page: Page): Promise<string> {
    return this.write("uncut.png", page);
  }

  private write(name: string, page: Page): Promise<string> {
    const written = this.last.then(() => this.writeNow(name, page));
    this.last = written.catch(() => {});
    return written;
  }

  /** Written aside and renamed, so that whoever watches the folder never reads half a picture. */
  private async writeNow(name: string, page: Page): Promise<string> {
    const path = join(this.folder, name);
    const file = await open(`${path}.tmp`, "w");
    try {
      for await (const piece of pngPieces(page)) await file.write(piece);
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
    return path;
  }
}
