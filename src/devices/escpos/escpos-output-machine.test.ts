import { describe, expect, it } from "vitest";
import type { OutputResult } from "../device.ts";
import { concatBytes, enableAsb, initialize } from "./commands.ts";
import { longestCommandBytes } from "./encoder.ts";
import { EscposOutputMachine } from "./escpos-output-machine.ts";
import { findPrinterModel } from "./models.ts";
import type { OutputEffect, OutputInput } from "./output-protocol.ts";
import { pageOf } from "./test-support.ts";

const ids = ["abc1", "abc2"] as const;
const online = [0x10, 0, 0, 0];
const paperEnd = [0x18, 0, 0x0c, 0];
const coverOpen = [0x38, 0, 0, 0];
const answersWell = [0x12, 0x12, 0x12, 0x12];
const answersPaperEnd = [0x1a, 0x32, 0x12, 0x7e];
const processId = (id: string): number[] => [0x37, 0x22, ...[...id].map((c) => c.charCodeAt(0)), 0];
const black = pageOf(
  384,
  Array.from({ length: 400 }, () => new Uint8Array(48).fill(0x55)),
);

/** A machine, virtual time, and a transport that accepts writes when it is let. */
class Bench {
  readonly machine: EscposOutputMachine;
  nowMs = 1000;
  link = 0;
  dialing = false;
  /** Accepts each write at once. */
  accepting = true;
  /** Answers DLE EOT 1 to 4 with these bytes. */
  answers: readonly number[] | undefined = answersWell;
  readonly writes: Uint8Array[] = [];
  readonly results: OutputResult[] = [];
  readonly evidence: (string | undefined)[] = [];
  readonly progress: number[] = [];
  closedLinks = 0;
  ready = false;
  reasons: readonly string[] = [];
  #pending = false;
  #draining = false;
  readonly #queue: OutputEffect[] = [];

  constructor(model: string, padAtFirst = false) {
    this.machine = new EscposOutputMachine(findPrinterModel(model), { padAtFirst });
    this.do({ kind: "opened" });
  }

  do(input: OutputInput): void {
    const instant = { monotonicMs: this.nowMs, wallMs: 0 };
    this.#queue.push(...this.machine.handle(input, instant));
    // As the shell does: effects in their order, also those of inputs that an effect brings.
    if (this.#draining) return;
    this.#draining = true;
    for (let effect = this.#queue.shift(); effect !== undefined; effect = this.#queue.shift()) this.#perform(effect);
    this.#draining = false;
  }

  #perform(effect: OutputEffect): void {
    switch (effect.kind) {
      case "connect":
        this.link = effect.link;
        this.dialing = true;
        return;
      case "writeBytes":
        expect(this.#pending).toBe(false);
        expect(effect.link).toBe(this.link);
        this.#pending = true;
        this.writes.push(effect.bytes);
        if (this.accepting) this.accept();
        return;
      case "closeLink":
        this.closedLinks++;
        this.#pending = false;
        return;
      case "reportState":
        this.ready = effect.ready;
        this.reasons = effect.state.reasons;
        return;
      case "reportResult":
        this.results.push(effect.result);
        return;
      case "reportProgress":
        this.progress.push(effect.rowsDone);
        return;
      case "reportEvidence":
        this.evidence.push(effect.evidence);
    }
  }

  /** The transport takes what it has been given. */
  accept(): void {
    if (!this.#pending) return;
    this.#pending = false;
    const bytes = this.writes.at(-1) ?? new Uint8Array(0);
    this.do({ kind: "bytesWritten", link: this.link });
    if (bytes.length === 12 && bytes[0] === 0x10 && this.answers !== undefined) this.hear(this.answers);
  }

  hear(bytes: readonly number[]): void {
    this.do({ kind: "bytesReceived", link: this.link, bytes: Uint8Array.from(bytes) });
  }

  connect(): void {
    expect(this.dialing).toBe(true);
    this.dialing = false;
    this.#pending = false;
    this.do({ kind: "linkOpened", link: this.link });
  }

  lose(): void {
    this.#pending = false;
    this.do({ kind: "linkClosed", link: this.link, reason: "gone" });
  }

  /** Lets virtual time pass, waking the machine when it asks for it. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let turns = 0; turns < 10_000; turns++) {
      const at = this.machine.nextWakeMs();
      if (at === undefined || at > endMs) break;
      expect(at).toBeGreaterThan(this.nowMs);
      this.nowMs = at;
      this.do({ kind: "woke" });
    }
    this.nowMs = endMs;
  }

  /** Connected, asked, and ready. */
  static ready(model: string): Bench {
    const bench = new Bench(model);
    bench.connect();
    bench.hear(online);
    expect(bench.machine.phase).toBe("ready");
    bench.writes.length = 0;
    return bench;
  }

  print(): void {
    this.do({ kind: "outputRequested", pages: [black], processIds: ids });
  }

  written(): Uint8Array {
    return concatBytes(this.writes);
  }
}

const uncertain = (reason: RegExp): unknown => ({ kind: "uncertain", reason: expect.stringMatching(reason) });

describe("reaching the printer", () => {
  it("asks for the state in real time, then brings the printer into a clean state", () => {
    const bench = new Bench("tm-m30iii", true);
    bench.connect();
    expect([...(bench.writes[0] ?? [])]).toEqual([0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 3, 0x10, 4, 4]);
    const pad = new Uint8Array(longestCommandBytes(findPrinterModel("tm-m30iii")));
    expect(bench.writes[1]).toEqual(concatBytes([pad, initialize, enableAsb]));
    expect(bench.ready).toBe(true);
  });

  it("dials again with growing pauses", () => {
    const bench = new Bench("tm-m30iii");
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      bench.dialing = false;
      const lostMs = bench.nowMs;
      bench.lose();
      while (!bench.dialing) bench.pass(250);
      pauses.push(bench.nowMs - lostMs);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(bench.reasons).toEqual(["connecting-to-device"]);
  });

  it("is not ready without paper, and ready again when ASB says so", () => {
    const bench = new Bench("tm-m30iii");
    bench.answers = answersPaperEnd;
    bench.connect();
    expect([bench.ready, bench.reasons]).toEqual([false, ["media-empty-error"]]);
    bench.hear(online);
    expect(bench.ready).toBe(true);
    bench.hear([0x10, 0, 0x03, 0]);
    expect([bench.ready, bench.reasons]).toEqual([true, ["media-low-warning"]]);
  });

  it("waits for a model that is known to answer, and asks again on a new link", () => {
    const bench = new Bench("tm-m30iii");
    bench.answers = undefined;
    bench.connect();
    bench.pass(2000);
    expect([bench.ready, bench.reasons]).toEqual([false, ["timed-out"]]);
    bench.pass(20_000);
    expect([bench.closedLinks, bench.dialing]).toEqual([1, true]);
    bench.answers = answersWell;
    bench.connect();
    expect(bench.ready).toBe(true);
  });

  it("takes a printer of no known maker that is mute as it is", () => {
    const bench = new Bench("generic-80");
    bench.answers = undefined;
    bench.connect();
    expect(bench.ready).toBe(false);
    bench.pass(2000);
    expect(bench.ready).toBe(true);
    bench.pass(600_000);
    expect(bench.closedLinks).toBe(0);
  });

  it("gives up a link on which an answering printer falls silent while idle", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.answers = undefined;
    bench.pass(120_000);
    expect([bench.closedLinks, bench.ready]).toEqual([1, false]);
  });

  it("does not need DLE EOT from a printer that has ASB", () => {
    const bench = new Bench("generic-80");
    bench.answers = undefined;
    bench.connect();
    bench.hear(online);
    bench.pass(600_000);
    expect([bench.closedLinks, bench.ready]).toEqual([0, true]);
  });

  it("ignores what a link says that was given up", () => {
    const bench = Bench.ready("tm-m30iii");
    const old = bench.link;
    bench.lose();
    bench.pass(500);
    bench.connect();
    bench.do({ kind: "linkClosed", link: old, reason: "late" });
    bench.do({ kind: "bytesReceived", link: old, bytes: Uint8Array.from(paperEnd) });
    expect(bench.ready).toBe(true);
  });
});

describe("flow", () => {
  it("hands over the next chunk when the last was accepted, and counts rows", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.accepting = false;
    bench.print();
    expect(bench.writes.length).toBe(1);
    bench.pass(10_000);
    expect(bench.writes.length).toBe(1);
    bench.accept();
    expect(bench.writes.length).toBe(2);
    bench.accepting = true;
    bench.accept();
    expect(bench.progress.at(-1)).toBe(400);
    expect(bench.machine.phase).toBe("awaiting-end");
    for (const bytes of bench.writes) expect(bytes.length).toBeLessThan(9000);
  });

  it.each([
    ["paper end", paperEnd, answersPaperEnd],
    ["open cover", coverOpen, [0x1a, 0x16, 0x12, 0x12]],
  ])("waits while ASB says %s, however long, then goes on", (_name, asb, answers) => {
    const bench = Bench.ready("tm-m30iii");
    bench.accepting = false;
    bench.print();
    bench.hear(asb);
    bench.answers = answers;
    bench.accepting = true;
    bench.accept();
    bench.pass(3_600_000);
    expect(bench.machine.phase).toBe("outputting");
    expect(bench.results).toEqual([]);
    bench.answers = answersWell;
    bench.hear(online);
    expect(bench.machine.phase).toBe("awaiting-end");
    bench.hear([...processId("abc1"), ...processId("abc2"), 0]);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
  });

  it("stops at XOFF and goes on at XON", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.hear([0x13]);
    bench.print();
    expect(bench.writes.length).toBe(0);
    bench.hear([0x11]);
    expect(bench.machine.phase).toBe("awaiting-end");
  });

  it("does not start what the printer cannot take", () => {
    const bench = Bench.ready("generic-58");
    bench.do({ kind: "outputRequested", pages: [pageOf(576, [new Uint8Array(72)])], processIds: ids });
    expect(bench.results).toEqual([{ kind: "not-started", reason: "the image is 576 dots wide, the printer 384" }]);
    bench.lose();
    bench.print();
    expect(bench.results[1]).toEqual({ kind: "not-started", reason: expect.stringContaining("connecting-to-device") });
  });
});

describe("the ladder of evidence", () => {
  it("process-id: both answers", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.hear(processId("abc1"));
    bench.hear([0]);
    expect(bench.results).toEqual([]);
    bench.hear(processId("abc2"));
    expect(bench.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
    expect(bench.ready).toBe(true);
  });

  it("answers to other IDs, and to DLE EOT inside image data, say nothing", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.hear([...processId("zzz1"), ...processId("zzz2"), 0x12, 0x1a, 0x7e]);
    expect(bench.results).toEqual([]);
    expect(bench.machine.phase).toBe("awaiting-end");
  });

  it("status: GS r and no process ID; remembered, so that the next job does not wait or ask", () => {
    const bench = Bench.ready("generic-80");
    bench.print();
    bench.hear([0]);
    bench.pass(1900);
    expect(bench.results).toEqual([]);
    bench.pass(2000);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "status" }]);
    bench.writes.length = 0;
    bench.print();
    expect(String.fromCharCode(...bench.written())).not.toContain("abc1");
    bench.hear([0]);
    bench.pass(1700);
    expect(bench.results.length).toBe(2);
  });

  it("status: waits for the paper, and for the printer to be online", () => {
    const bench = Bench.ready("xp-80");
    bench.print();
    bench.hear([0]);
    bench.hear(coverOpen);
    bench.answers = [0x1a, 0x16, 0x12, 0x12];
    bench.pass(600_000);
    expect(bench.results).toEqual([]);
    bench.answers = answersWell;
    bench.hear(online);
    bench.pass(100);
    expect(bench.results).toEqual([]);
    bench.pass(10_000);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "status" }]);
  });

  it("a printer that has proven process IDs is not believed on GS r alone", () => {
    const bench = Bench.ready("generic-80");
    bench.print();
    bench.hear([...processId("abc1"), 0, ...processId("abc2")]);
    bench.print();
    bench.hear([0]);
    bench.pass(120_000);
    expect(bench.results[1]).toEqual(uncertain(/did not report/));
  });

  it("none: a mute printer, after the estimated time", () => {
    const bench = new Bench("generic-80");
    bench.answers = undefined;
    bench.connect();
    bench.pass(2000);
    bench.writes.length = 0;
    bench.print();
    const text = String.fromCharCode(...bench.written());
    expect(text).not.toContain("abc");
    // 400 rows at 203 dpi and 150 mm/s, half of them black at most, the cut, and the margin.
    bench.pass(2500);
    expect(bench.results).toEqual([]);
    bench.pass(3000);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "none" }]);
  });

  it("none: a printer that answers DLE EOT and nothing else", () => {
    const bench = new Bench("generic-80");
    bench.connect();
    bench.print();
    bench.pass(8_000);
    expect(bench.results).toEqual([]);
    bench.pass(10_000);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "none" }]);
  });

  it("uncertain: a printer known to answer falls silent", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.answers = undefined;
    bench.pass(30_000);
    expect(bench.closedLinks).toBe(1);
    bench.pass(30_000);
    expect(bench.results).toEqual([uncertain(/lost/)]);
  });

  it("uncertain: online, and silent about the end", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.pass(50_000);
    expect(bench.results).toEqual([]);
    bench.pass(20_000);
    expect(bench.results).toEqual([uncertain(/did not report/)]);
  });

  it("process ID 1 alone, at last, is printed; the next resync cuts", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.hear(processId("abc1"));
    bench.writes.length = 0;
    bench.pass(70_000);
    expect(bench.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
    expect([...bench.written()].join(" ")).toContain("27 64 29 86 66 0");
    expect(bench.ready).toBe(true);
  });
});

describe("a link lost during output", () => {
  it("before the first byte: not started", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.hear([0x13]);
    bench.print();
    bench.lose();
    expect(bench.results).toEqual([{ kind: "not-started", reason: expect.stringContaining("lost") }]);
  });

  it("with bytes left: uncertain, and the next link pads, resets and cuts", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.accepting = false;
    bench.print();
    bench.lose();
    expect(bench.results).toEqual([uncertain(/lost while printing/)]);
    bench.accepting = true;
    bench.writes.length = 0;
    bench.pass(500);
    bench.connect();
    const model = findPrinterModel("tm-m30iii");
    expect(bench.writes[1]).toEqual(
      concatBytes([new Uint8Array(longestCommandBytes(model)), initialize, Uint8Array.from(model.cut), enableAsb]),
    );
    expect(bench.ready).toBe(true);
  });

  it("with all bytes out: the late answer to ID 2 is printed", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.lose();
    expect(bench.machine.phase).toBe("recovering");
    bench.pass(500);
    bench.connect();
    bench.hear(processId("abc2"));
    expect(bench.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
    expect(bench.ready).toBe(true);
  });

  it("with all bytes out and no answer: uncertain", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.lose();
    bench.pass(500);
    bench.connect();
    bench.pass(10_000);
    expect(bench.results).toEqual([uncertain(/its answer did not come/)]);
    expect(bench.ready).toBe(true);
  });

  it("with all bytes out and paper end: waits for the answer as long as the printer says so", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.hear(paperEnd);
    bench.answers = answersPaperEnd;
    bench.lose();
    bench.pass(500);
    bench.connect();
    bench.pass(600_000);
    expect(bench.results).toEqual([]);
    bench.answers = answersWell;
    bench.pass(5_000);
    bench.hear(processId("abc2"));
    expect(bench.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
  });

  it("with all bytes out and no new link in 15 s: uncertain, and it keeps dialing", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.lose();
    for (let i = 0; i < 14; i++) {
      bench.pass(1000);
      if (bench.dialing) {
        bench.dialing = false;
        bench.lose();
      }
    }
    expect(bench.results).toEqual([]);
    bench.pass(2000);
    expect(bench.results).toEqual([uncertain(/lost/)]);
    bench.dialing = false;
    bench.lose();
    bench.pass(20_000);
    expect(bench.dialing).toBe(true);
  });

  it("on the status rung: uncertain, for GS r is not repeated", () => {
    const bench = Bench.ready("xp-80");
    bench.print();
    bench.lose();
    expect(bench.results).toEqual([uncertain(/lost while printing/)]);
  });
});

describe("cancel", () => {
  it("before the first byte: not started", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.hear([0x13]);
    bench.print();
    bench.do({ kind: "outputCanceled" });
    expect(bench.results).toEqual([{ kind: "not-started", reason: "canceled before printing" }]);
    expect(bench.ready).toBe(true);
  });

  it("while sending, on a printer that clears its buffers: waits for the response, then resets and cuts", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.accepting = false;
    bench.print();
    bench.do({ kind: "outputCanceled" });
    expect(bench.results).toEqual([uncertain(/canceled while printing/)]);
    bench.writes.length = 0;
    bench.accepting = true;
    bench.accept();
    expect(bench.writes.map((bytes) => [...bytes])).toEqual([[0x10, 0x14, 8, 1, 3, 0x14, 1, 6, 2, 8]]);
    bench.pass(1000);
    expect([bench.ready, bench.writes.length]).toEqual([false, 1]);
    bench.hear([0x37, 0x25, 0]);
    expect(bench.ready).toBe(true);
    expect([...bench.written()].slice(-9)).toEqual([0x1b, 0x40, 0x1d, 0x56, 0x42, 0, 0x1d, 0x61, 0x0e]);
  });

  it("does not wait for a clear response for ever", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.accepting = false;
    bench.print();
    bench.accepting = true;
    bench.hear(paperEnd);
    bench.accept();
    bench.do({ kind: "outputCanceled" });
    bench.hear(online);
    bench.pass(3000);
    expect(bench.ready).toBe(true);
  });

  it("while sending, on a clone: pads, resets and cuts", () => {
    const bench = Bench.ready("xp-80");
    bench.accepting = false;
    bench.print();
    bench.do({ kind: "outputCanceled" });
    expect(bench.results).toEqual([uncertain(/canceled while printing/)]);
    bench.writes.length = 0;
    bench.accepting = true;
    bench.accept();
    const model = findPrinterModel("xp-80");
    expect(bench.writes[1]).toEqual(
      concatBytes([new Uint8Array(longestCommandBytes(model)), initialize, Uint8Array.from(model.cut), enableAsb]),
    );
  });

  it("with all bytes out: a moment for the answer, then uncertain", () => {
    const first = Bench.ready("tm-m30iii");
    first.print();
    first.do({ kind: "outputCanceled" });
    first.hear([...processId("abc1"), ...processId("abc2")]);
    expect(first.results).toEqual([{ kind: "printed", evidence: "process-id" }]);
    const second = Bench.ready("tm-m30iii");
    second.print();
    second.do({ kind: "outputCanceled" });
    second.pass(2000);
    expect(second.results).toEqual([uncertain(/canceled while printing/)]);
  });

  it("with all bytes out and no paper: clears what waits in the printer", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.hear(paperEnd);
    bench.writes.length = 0;
    bench.do({ kind: "outputCanceled" });
    expect(bench.results).toEqual([uncertain(/canceled while printing/)]);
    expect([...(bench.writes[0] ?? [])].slice(0, 3)).toEqual([0x10, 0x14, 8]);
  });
});

describe("evidence of a former life", () => {
  it("is found when the printer sends it late", () => {
    const bench = new Bench("tm-m30iii");
    bench.do({ kind: "evidenceSought", seekId: 7, processIds: ids, timeoutMs: 3000 });
    bench.connect();
    bench.hear(processId("abc2"));
    expect(bench.evidence).toEqual(["process-id"]);
  });

  it("is found when it came before anyone looked", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.hear(processId("abc2"));
    bench.do({ kind: "evidenceSought", seekId: 7, processIds: ids, timeoutMs: 3000 });
    expect(bench.evidence).toEqual(["process-id"]);
  });

  it("is ID 1 alone at the deadline, and then the ticket is cut off", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.do({ kind: "evidenceSought", seekId: 7, processIds: ids, timeoutMs: 3000 });
    bench.hear(processId("abc1"));
    expect(bench.evidence).toEqual([]);
    bench.pass(3000);
    expect(bench.evidence).toEqual(["process-id"]);
    expect([...bench.written()].join(" ")).toContain("27 64 29 86 66 0");
  });

  it("is undefined in time, also while the printer is away; then the ticket is cut off", () => {
    const bench = new Bench("tm-m30iii");
    bench.do({ kind: "evidenceSought", seekId: 7, processIds: ids, timeoutMs: 3000 });
    bench.pass(3000);
    expect(bench.evidence).toEqual([undefined]);
    bench.connect();
    expect([...bench.written()].join(" ")).toContain("27 64 29 86 66 0");
    expect(bench.ready).toBe(true);
  });
});

describe("close", () => {
  it("ends what is under way and hears no more", () => {
    const bench = Bench.ready("tm-m30iii");
    bench.print();
    bench.do({ kind: "evidenceSought", seekId: 1, processIds: ["x..1", "x..2"], timeoutMs: 60_000 });
    bench.do({ kind: "closed" });
    expect(bench.results).toEqual([uncertain(/closed/)]);
    expect(bench.evidence).toEqual([undefined]);
    expect([bench.closedLinks, bench.ready, bench.machine.nextWakeMs()]).toEqual([1, false, undefined]);
    bench.hear(processId("abc2"));
    expect(bench.results.length).toBe(1);
  });
});
