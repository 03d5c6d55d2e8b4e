import { describe, expect, it } from "vitest";
import type { HistoryRow } from "../protocol/job.ts";
import { historyCsv } from "./history-csv.ts";
import { historyRowOf } from "./test-history.ts";

async function csvOf(rows: readonly HistoryRow[], excel = false): Promise<string> {
  let text = "";
  for await (const piece of historyCsv(rows, { excel })) text += piece;
  return text;
}

/** RFC 4180 read back, by its grammar. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    lines.push(line);
    line = [];
  }
  return lines;
}

function cell(text: string, name: string, row = 1): string | undefined {
  const lines = parseCsv(text);
  return lines[row]?.[lines[0]?.indexOf(name) ?? -1];
}

describe("history as CSV", () => {
  it("has names, then a line a row, each with all cells", async () => {
    const text = await csvOf([historyRowOf(1, { documentDateMs: 1_600_000_000_000 }), historyRowOf(2)]);
    const lines = parseCsv(text);
    expect(lines.map((line) => line.length)).toEqual([23, 23, 23]);
    expect(text.endsWith("\r\n")).toBe(true);
    expect(cell(text, "title", 2)).toBe("ticket 2");
    expect(cell(text, "documentDate")).toBe("2020-09-13T12:26:40.000Z");
    expect(cell(text, "documentDate", 2)).toBe("");
    // 400 dots at 203 dpi.
    expect(cell(text, "paperMm")).toBe("50");
    expect(cell(text, "sentBy")).toBe("client");
  });

  it.each(['with "quotes", commas', "two\r\nlines", "伝票 №1", "plain"])("keeps %j whole", async (title) => {
    const text = await csvOf([historyRowOf(1, { title, clientName: title })]);
    expect(cell(text, "title")).toBe(title);
    expect(cell(text, "client")).toBe(title);
    expect(parseCsv(text)).toHaveLength(2);
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "＝1+1", "－1"])(
    "lets no spreadsheet program calculate %j",
    async (title) => {
      expect(cell(await csvOf([historyRowOf(1, { title })]), "title")).toBe(`'${title}`);
    },
  );

  it("tells events in one cell", async () => {
    const events = [
      { atMs: 0, event: "accepted" },
      { atMs: 1_000, event: "the server sends", detail: "the client is away, says the link" },
    ];
    expect(cell(await csvOf([historyRowOf(1, { events })]), "events")).toBe(
      "1970-01-01T00:00:00.000Z accepted; 1970-01-01T00:00:01.000Z the server sends: the client is away, says the link",
    );
  });

  it("begins with a byte order mark for Excel, with times that it understands", async () => {
    const text = await csvOf([historyRowOf(1)], true);
    expect(text.charCodeAt(0)).toBe(0xfeff);
    expect(cell(text.slice(1), "endedAt")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect((await csvOf([])).charCodeAt(0)).not.toBe(0xfeff);
  });
});
