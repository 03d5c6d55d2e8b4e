import { describe, expect, it } from "vitest";
import { historyQueryText, parseHistoryFilter, parseHistoryQuery, parseTime } from "./history-query.ts";

describe("a query of the history", () => {
  it("is read, and written again", () => {
    const query = {
      printer: "kitchen",
      client: "レジ 1",
      source: "auto" as const,
      sentBy: "server" as const,
      outcome: "printed" as const,
      fromMs: 5,
      toMs: 9,
      text: "a&b=c",
      job: "c11e47aa-",
      limit: 7,
      before: '[1,"x"]',
    };
    const text = historyQueryText(query);
    expect(parseHistoryQuery(Object.fromEntries(new URLSearchParams(text)))).toEqual(query);
    expect(parseHistoryQuery({})).toEqual({ limit: 100 });
    expect(parseHistoryFilter({ printer: "bar" })).toEqual({ printer: "bar" });
  });

  it.each([
    [{ limit: "0" }, "limit 0, allowed: 1 to 1000"],
    [{ limit: "1001" }, "limit 1001"],
    [{ limit: "ten" }, "limit ten"],
    [{ outcome: "lost" }, "outcome"],
    [{ sentBy: "auto" }, "sentBy"],
    [{ pritner: "bar" }, "pritner"],
    [{ job: "A%" }, "job: the beginning of a job id"],
    [{ from: "yesterday" }, "from yesterday: expected a time such as"],
    [{ to: "2026-02-30" }, "to 2026-02-30"],
    [{ from: "2026-13-01T10:00" }, "from 2026-13-01T10:00"],
    [{ from: "10", to: "10" }, "from 10 is not before to 10"],
  ])("that makes no sense is refused with the field: %j", (query, sentence) => {
    expect(() => parseHistoryQuery(query as Record<string, string>)).toThrow(sentence);
    expect(() => parseHistoryQuery(query as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "request-invalid" }),
    );
  });

  it("for all rows takes no page", () => {
    expect(() => parseHistoryFilter({ limit: "5" })).toThrow("all rows");
  });

  it("has times of this machine, or of a zone; a day as the end is meant whole", () => {
    expect(parseTime("from", "2026-11-23")).toBe(new Date(2026, 10, 23).getTime());
    expect(parseTime("to", "2026-11-30")).toBe(new Date(2026, 11, 1).getTime());
    expect(parseTime("from", "2026-11-23 14:05")).toBe(new Date(2026, 10, 23, 14, 5).getTime());
    expect(parseTime("from", "2026-11-23T14:05:06.7+09:00")).toBe(Date.UTC(2026, 10, 23, 5, 5, 6, 700));
    expect(parseTime("from", "1700000000000")).toBe(1_700_000_000_000);
  });
});
