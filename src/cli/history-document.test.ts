import { describe, expect, it } from "vitest";
import { loadFont } from "../image/font.ts";
import { drawReport, type ReportBlock } from "../image/report.ts";
import { historyRowOf } from "../spool/test-history.ts";
import { historyReport } from "./history-document.ts";
import { historyWords } from "./history-words.ts";
import type { Language } from "./language.ts";

const rows = [
  historyRowOf(3, { pages: 2, heightDots: 800, documentDateMs: 1_690_000_000_000 }),
  historyRowOf(2, { title: "伝票\u202E", outcome: { sentBy: "server" } }),
  historyRowOf(1, {
    resolution: "reprinted",
    outcome: { outcome: "indeterminate", reason: "the link was lost" },
  }),
];

function report(language: Language, more: Partial<Parameters<typeof historyReport>[0]> = {}): ReportBlock[] {
  return historyReport({ rows, filter: {}, hasOlder: false, language, madeAtMs: 1_700_000_000_000, ...more });
}

/** The words of a report, a line a block. */
function textOf(blocks: readonly ReportBlock[]): string {
  return blocks
    .map((block) => {
      if (block.kind === "field") return `${block.name}=${block.value}`;
      if (block.kind === "pair") return `${block.left}|${block.right}`;
      return block.kind === "rule" || block.kind === "space" ? "" : block.text;
    })
    .join("\n")
    .replaceAll("\u00A0", " ");
}

describe("the printed history", () => {
  it("says all of each job, and the totals, in English", () => {
    const text = textOf(report("en"));
    for (const line of [
      "PRINT HISTORY",
      "ticket 3|printed",
      "Client=till",
      "Printer=kitchen",
      "Source=client → server",
      "Evidence=printer's answer",
      "Paper=2 pages, 800 dots, 100 mm",
      "ticket 1|INDETERMINATE",
      "Reason=the link was lost",
      "Decided=printed again",
      "Jobs|3",
      "  printed|2",
      "Pages printed|3",
      "Paper printed|150 mm",
      "Sent by server|1",
      "Taken over|1",
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/Requested=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    expect(text).toMatch(/Document=2023-07-2/);
    expect(text).toMatch(/Output=.{19} - \d\d:\d\d:\d\d$/m);
    expect(text).not.toContain("not shown");
  });

  it("says the same in Japanese", () => {
    const text = textOf(report("ja", { hasOlder: true }));
    for (const line of [
      "印刷履歴",
      "ticket 3|印刷済",
      "送信元=クライアント → サーバー",
      "用紙=2ページ 800ドット 100mm",
      "ticket 1|要確認",
      "処置=再印刷",
      "件数|3",
      "新しい順に3件のみ。以前の記録は省略。",
    ])
      expect(text).toContain(line);
    expect(report("ja").length).toBe(report("en").length);
  });

  it("says what was asked for, and that nothing was found", () => {
    const filter = { printer: "bar", source: "auto", outcome: "canceled", fromMs: 0, text: "菜" } as const;
    const text = textOf(report("en", { rows: [], filter }));
    for (const line of [
      "Printer=bar",
      "Chosen=auto",
      "Outcome=canceled",
      "From=",
      "Title=菜",
      "Nothing has been printed",
      "Jobs|0",
    ])
      expect(text).toContain(line);
  });

  it("lets no title turn the text around", () => {
    expect(textOf(report("en"))).not.toContain("\u202E");
  });

  it.each([384, 512, 576])("is drawn for paper of %i dots", async (widthDots) => {
    for (const language of ["en", "ja"] as const) {
      const page = await drawReport(report(language), { widthDots, resolutionDpi: 203 });
      expect([page.widthDots, page.heightDots > 900]).toEqual([widthDots, true]);
    }
  });

  it("uses no character that the font does not have", async () => {
    const font = await loadFont("efont-24");
    const text = textOf([...report("en", { hasOlder: true }), ...report("ja", { hasOlder: true })]);
    const words = `${JSON.stringify(historyWords)}${text}\u00A0`;
    const missing = [...new Set(words)].filter((char) => char > " " && !font.glyph(char.codePointAt(0) ?? 0));
    expect(missing).toEqual(["\uFFFD"].filter((char) => !font.glyph(char.codePointAt(0) ?? 0)));
  });
});
