import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { checkEvidence, type Evidence, type Order } from "./checker.ts";
import { drawTicket, readTickets } from "./ticket.ts";

const order: Order = { number: 7, title: "ticket 7", accepted: true, cancelAsked: false, mayBeIndeterminate: false };
const job = { jobId: "a-b-1", title: "ticket 7" };
const printed: Evidence = {
  copies: [{ number: 7, isWhole: true }],
  ledger: [{ ...job, state: "printed", sequence: 1 }],
  history: [{ ...job, outcome: "printed" }],
  serverRows: [],
  clientRows: [],
  serverFiles: [],
  clientFiles: [],
};
const ended = (state: "intent" | "indeterminate" | "canceled"): Partial<Evidence> => ({
  ledger: [{ ...job, state, sequence: 1 }],
  history: [{ ...job, outcome: state }],
});

describe("the checker", () => {
  it("finds nothing wrong where nothing is", () => {
    expect(checkEvidence(printed, [order])).toEqual([]);
    const nothing = { ...printed, copies: [], ledger: [], history: [] };
    expect(checkEvidence(nothing, [{ ...order, accepted: false }])).toEqual([]);
    const unknown = { ...printed, ...ended("indeterminate"), copies: [{ number: 7, isWhole: false }] };
    expect(checkEvidence(unknown, [{ ...order, mayBeIndeterminate: true }])).toEqual([]);
    const canceled = { ...printed, ...ended("canceled"), copies: [] };
    expect(checkEvidence(canceled, [{ ...order, cancelAsked: true }])).toEqual([]);
  });

  it.each<[string, Partial<Evidence>]>([
    ["I1", { copies: [...printed.copies, ...printed.copies] }],
    ["I1", { copies: [...printed.copies, { number: 7, isWhole: false }] }],
    ["I1", { copies: [...printed.copies, { number: 8, isWhole: true }] }],
    ["I1", { ledger: [...printed.ledger, { ...job, jobId: "a-b-2", state: "printed", sequence: 2 }] }],
    ["I2", { copies: [] }],
    ["I2", { copies: [{ number: 7, isWhole: false }] }],
    ["I2", { ledger: [] }],
    ["I2", { ...ended("indeterminate") }],
    ["I3", { ...ended("canceled") }],
    ["I4", { ...ended("canceled"), copies: [] }],
    ["I4", { copies: [], ledger: [], history: [] }],
    ["I5", { history: [{ ...job, outcome: "indeterminate" }] }],
    ["I5", { history: [...printed.history, { jobId: "a-b-2", title: "ticket 7", outcome: "printed" }] }],
    ["I6", { history: [] }],
    ["I7", { ...ended("intent") }],
    ["I7", { serverRows: [job] }],
    ["I7", { clientRows: [job] }],
    ["I7", { serverFiles: ["a-b-1"] }],
    ["I7", { clientFiles: ["incoming-1.tmp"] }],
  ])("finds a breach of %s in %o", (invariant, change) => {
    const violations = checkEvidence({ ...printed, ...change }, [order]);
    expect(violations.some((violation) => violation.startsWith(`${invariant} `))).toBe(true);
  });
});

/** Pieces of paper under each other, as they are when nobody cut between them. */
function under(...pictures: { readonly png: Buffer; readonly rows?: number }[]): Buffer {
  const papers = pictures.map(({ png, rows }) => {
    const { width, height, data } = PNG.sync.read(png);
    return data.subarray(0, (rows ?? height) * width * 4);
  });
  const data = Buffer.concat(papers);
  const paper = new PNG({ width: 576, height: data.length / (576 * 4) });
  paper.data = data;
  return PNG.sync.write(paper);
}

describe("tickets", () => {
  const [seven, eight] = [drawTicket(7, 576), drawTicket(8, 576)];

  it("are known again, whole or not, wherever the paper is cut", () => {
    expect(readTickets(seven)).toEqual([{ number: 7, isWhole: true }]);
    expect(readTickets(under({ png: seven, rows: 103 }, { png: eight }))).toEqual([
      { number: 7, isWhole: false },
      { number: 8, isWhole: true },
    ]);
    expect(readTickets(under({ png: seven }, { png: seven, rows: 5 }))).toEqual([
      { number: 7, isWhole: true },
      { number: 7, isWhole: false },
    ]);
    expect(readTickets(under({ png: seven, rows: 239 }))).toEqual([{ number: 7, isWhole: false }]);
  });
});
