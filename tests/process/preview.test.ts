import { afterEach, beforeEach, expect, it } from "vitest";
import { previewPng } from "../../src/image/png-writer.ts";
import { type ClientDoor, InnerBox, submitTo } from "./inner-box.ts";
import { history, until } from "./processes.ts";

let box: InnerBox;
let till: ClientDoor;
let bar: ClientDoor;

beforeEach(async () => {
  box = await InnerBox.start({ "retention.keepEndedMinutes": 5 });
  till = await box.startClient("till");
  bar = await box.startClient("bar");
});
afterEach(() => box.close());

async function preview(url: string, jobId: string) {
  const response = await fetch(`${url}/api/jobs/${jobId}/preview.png`);
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, spool: response.headers.get("x-twinspool-spool"), bytes };
}

it("comes from the client's own spool, else from the server's, and says which", async () => {
  const jobId = await submitTo(till, "Table 7\n", "title=order&held=true");
  const image = await fetch(`${till.url}/api/jobs/${jobId}/image`);
  const expected = Buffer.from(await previewPng(new Uint8Array(await image.arrayBuffer())));
  expect(await preview(till.url, jobId)).toEqual({ status: 200, spool: "client", bytes: expected });
  await until(
    () => preview(box.url, jobId),
    ({ status }) => status === 200,
    "the server's copy",
  );
  expect(await preview(box.url, jobId)).toEqual({ status: 200, spool: "server", bytes: expected });
  expect(await preview(bar.url, jobId)).toEqual({ status: 200, spool: "server", bytes: expected });
  // One that uses only the server's spool is not at hand for its own client either.
  const other = await submitTo(till, "Table 7\n", "title=order&held=true&spools=server&source=server");
  expect(await preview(till.url, other)).toEqual({ status: 200, spool: "server", bytes: expected });
});

it("shows ended jobs for as long as their images are kept", async () => {
  const jobId = await submitTo(till, "Table 8\n", "title=order");
  await until(
    () => history(box.url),
    (rows) => rows.length === 1,
    "the history",
  );
  for (const { url } of [box, till, bar]) {
    await until(
      () => preview(url, jobId),
      ({ status, spool }) => status === 200 && spool === "server",
      "the kept image",
    );
  }
});

it("says who has an image that the server must not keep", async () => {
  const jobId = await submitTo(till, "secret\n", "title=secret&held=true&spools=client");
  expect(await preview(till.url, jobId)).toMatchObject({ status: 200, spool: "client" });
  for (const { url } of [box, bar]) {
    const answer = await preview(url, jobId);
    expect(JSON.parse(String(answer.bytes))).toMatchObject({
      code: "image-missing",
      detail: expect.stringContaining("only the client till has it"),
    });
  }
  expect((await preview(bar.url, "aaaaaaaa-bbbbbb-1")).status).toBe(404);
  expect((await preview(bar.url, "..%2Fjobs")).status).toBe(404);
});

it("shows raw ESC/POS bytes as the dots that are printed", async () => {
  const bytes = Buffer.from("Table 9\n\x1d!\x11large\n\x1dVB\x00", "latin1");
  const jobId = await submitTo(till, bytes, "title=raw&format=escpos");
  const page = await box.simulator.printed();
  expect(page.heightDots).toBeGreaterThan(60);
  const shown = await until(
    () => preview(bar.url, jobId),
    ({ status }) => status === 200,
    "the kept image",
  );
  const { PNG } = await import("pngjs");
  const { height, data } = PNG.sync.read(shown.bytes);
  expect(height).toBe(page.heightDots);
  const inked = page.rows
    .flatMap((row) => [...row])
    .reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
  expect(data.filter((value, index) => index % 4 === 0 && value === 0).length).toBe(inked);
});
