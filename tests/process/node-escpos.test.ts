import { join } from "node:path";
import { Image, Printer } from "@node-escpos/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TwinspoolAdapter, type TwinspoolAdapterOptions } from "../../src/library/node-escpos.ts";
import type { PrintJob } from "../../src/mod.ts";
import { pictureRgba, printOn, testPicture } from "../encoders/paper.ts";
import { InnerBox } from "./inner-box.ts";
import { history, until } from "./processes.ts";

let box: InnerBox;

beforeEach(async () => {
  box = await InnerBox.start();
});
afterEach(() => box.close());

function adapter(more: TwinspoolAdapterOptions = {}): TwinspoolAdapter {
  return new TwinspoolAdapter({ printer: "kitchen", server: box.url, data: join(box.folder, "till"), ...more });
}

/** A program of node-escpos as it was before; only its adapter is another one. */
async function printReceipt(device: ConstructorParameters<typeof Printer>[0]): Promise<void> {
  const picture = testPicture(96, 64);
  const pixels = { data: pictureRgba(picture), shape: [96, 64, 4] };
  await new Promise<void>((resolve, reject) => {
    device.open((error) => (error === null ? resolve() : reject(error)));
  });
  const printer = new Printer<[]>(device, { encoding: "cp858", width: 48 });
  printer
    .setCharacterCodeTable(19)
    .align("ct")
    .size(2, 2)
    .text("Café")
    .size(1, 1)
    .text("4,20 €")
    .align("lt")
    .drawLine();
  printer.table(["One", "Two", "Three"]).barcode("400638133393", "EAN13", { width: 2, height: 80 });
  printer.raster(new Image(pixels as unknown as ConstructorParameters<typeof Image>[0]));
  printer.cut(true).text("the kitchen's part").cut();
  await printer.close();
}

/** What core writes, as any adapter gets it. */
async function bytesOf(): Promise<Buffer> {
  const sent: Buffer[] = [];
  type Done = (error: Error | null) => void;
  const collector = {
    open: (done: Done) => done(null),
    write: (data: Buffer | string, done?: Done) => {
      sent.push(Buffer.from(data));
      done?.(null);
    },
    close: (done: Done) => done(null),
  };
  await printReceipt(collector as unknown as ConstructorParameters<typeof Printer>[0]);
  return Buffer.concat(sent);
}

it("prints what core prints directly, dot for dot, through both spools", async () => {
  const jobs: PrintJob[] = [];
  // Types fit without a cast.
  await printReceipt(adapter({ waitFor: "ended", onJob: (job) => jobs.push(job), title: "order 7" }));
  const direct = (await printOn("tm-m30iii", await bytesOf())).pages;
  const { paper } = box.simulator;
  expect(paper.map(({ heightDots }) => heightDots)).toEqual(direct.map(({ heightDots }) => heightDots));
  expect(paper.map(({ rows }) => rows)).toEqual(direct.map(({ rows }) => rows));
  expect(direct.map(({ text }) => text.split("\n")[0])).toEqual(["Café", "the kitchen's part"]);
  await until(
    () => history(box.url),
    (rows) => rows.length === 1,
    "the history",
  );
  const [row] = await history(box.url);
  expect(row).toMatchObject({ jobId: jobs[0]?.id, title: "order 7", pages: 2, spools: "both" });
});

it("prints one document after another, and hands them to the client process when there is one", async () => {
  const device = adapter();
  await printReceipt(device);
  await printReceipt(device);
  // The folder is free when the first client has told the server all it has to tell.
  await until(
    () => box.startClient("till"),
    () => true,
    "a client process",
  );
  await printReceipt(device);
  await until(
    () => history(box.url),
    (rows) => rows.length === 3,
    "three rows",
  );
  expect(box.simulator.paper).toHaveLength(6);
});

it("tells errors to the callbacks", async () => {
  await expect(printReceipt(adapter({ printer: "bar" }))).rejects.toMatchObject({ code: "printer-unknown" });
  const opened = (options: TwinspoolAdapterOptions) =>
    new Promise<Error | null>((resolve) => adapter(options).open(resolve));
  expect(await opened({ server: "nowhere" })).toMatchObject({ code: "config-invalid" });
  expect(await opened({})).toBeNull();
  const written = new Promise((resolve) => adapter().write("too early", resolve));
  expect(await written).toMatchObject({ code: "request-invalid" });
  // Only a drawer pulse: nothing of it would reach the printer.
  const drawer = adapter();
  drawer.open();
  drawer.write(Buffer.from("\x1bp\x00\x19\xfa", "latin1"));
  const closed = await new Promise<Error | null>((resolve) => drawer.close(resolve));
  expect(closed?.message).toContain("print nothing");
  expect(await new Promise((resolve) => adapter().open().close(resolve))).toBeNull();
});

it("answers what the printer host knows of the printer", async () => {
  const ask = async (): Promise<string[]> => {
    const device = adapter();
    await new Promise((resolve) => device.open(resolve));
    const statuses = await new Printer<[]>(device, {}).getStatuses();
    await new Promise((resolve) => device.close(resolve));
    return statuses
      .flatMap((status) => status.toJSON().statuses)
      .flatMap(({ status, label }) => (status === "ok" ? [] : [label]));
  };
  await until(ask, (labels) => labels.length === 0, "a printer that is well");
  box.simulator.fail("cover-open");
  await until(ask, (labels) => labels.includes("Cover is open"), "the open cover");
  box.simulator.fail("cover-closed");
  box.simulator.fail("paper-end");
  await until(ask, (labels) => labels.includes("Roll paper end sensor: paper not present"), "the missing paper");
});
