import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium, launchChromium } from "./chromium.ts";

/* The live page of `twinspool sim` as a person has it: a process, a browser, and a program that prints over TCP. */

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const chromium = findChromium();
const why = chromium === undefined ? " (skipped: no Chromium on the PATH or in CHROME_PATH)" : "";

interface Sim {
  readonly process: ChildProcess;
  readonly url: string;
  readonly tcp: number;
}

async function startSim(...flags: string[]): Promise<Sim> {
  const child = spawn(process.execPath, [main, "sim", "--json", "--tcp", "0", ...flags], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("no pipe");
  let tcp = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as { readonly event: string; readonly port?: number; readonly url?: string };
    if (line.event === "ready") tcp = line.port ?? 0;
    if (line.event !== "web") continue;
    child.stdout.resume();
    return { process: child, url: line.url ?? "", tcp };
  }
  throw new Error("the simulator ended before its page was there");
}

async function kill({ process: child }: Sim): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function print(sim: Sim, text: string): Promise<void> {
  const host = connect(sim.tcp, "127.0.0.1");
  host.end(Buffer.from(`\x1b@${text}`, "latin1"));
  await once(host, "finish");
  host.destroySoon();
}

const CUT = "\x1dVB\x00";
const LINES = (count: number): string => "All work and no paper makes a dull till\n".repeat(count);

describe.skipIf(chromium === undefined)(`the live page in Chromium${why}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  let sim: Sim;
  let page: Page;
  /** Errors of scripts, refusals of the content security policy, and failed requests. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? "");
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    sim = await startSim("--web", "0", "--speed", "real");
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    context.setDefaultTimeout(15_000);
    page = await open();
  });
  afterEach(async () => {
    await context.close();
    await kill(sim);
  });

  async function open(): Promise<Page> {
    complaints = [];
    const opened = await context.newPage();
    opened.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    opened.on("pageerror", (error) => complaints.push(error.message));
    await opened.goto(sim.url);
    await opened.locator("#lamps .well").first().waitFor();
    return opened;
  }

  const lamp = (name: string, says: string) =>
    page.locator("#lamps li", { hasText: new RegExp(`^${name} ${says}$`) }).waitFor();
  const press = (fault: string) => page.locator(`[data-fault="${fault}"]`).click();
  /** Rows of uncut paper that the page says it shows. */
  async function uncutRows(): Promise<number> {
    return Number(/(\d+) rows/.exec((await page.locator("#stage").getAttribute("aria-label")) ?? "")?.[1] ?? 0);
  }
  async function seriousFaults(): Promise<unknown[]> {
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate("axe.run()")) as {
      readonly violations: readonly {
        readonly id: string;
        readonly impact: string;
        readonly nodes: readonly { readonly html: string }[];
      }[];
    };
    return violations.map(({ id, impact, nodes }) => [impact, id, nodes.map(({ html }) => html)]);
  }

  const ask = (expression: string): Promise<unknown> => page.evaluate(expression);

  it("shows the paper while it grows, then the ticket, and complains of nothing", async () => {
    await press("slow");
    await page.locator("#told", { hasText: "Done: slow" }).waitFor();
    await print(sim, LINES(20) + CUT);
    const seen: number[] = [];
    let isCut = false;
    const cut = page
      .locator("#ticket-1")
      .waitFor()
      .finally(() => {
        isCut = true;
      });
    while (!isCut) {
      const rows = await uncutRows();
      if (rows > 0 && rows !== seen.at(-1)) seen.push(rows);
    }
    await cut;
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await page.locator("#ticket-1 img").getAttribute("alt")).toContain("dull till");
    expect(await ask("document.querySelector('#ticket-1 img').decode().then(() => 'whole')")).toBe("whole");
    expect(await ask("document.querySelector('#ticket-1 img').naturalWidth")).toBe(576);
    await page.locator("#stage[aria-label^=No]").waitFor();
    expect(await page.locator("#strips img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("has a button for every fault, and its lamp follows", async () => {
    await press("cover-open");
    await lamp("cover", "open");
    await lamp("online", "no");
    await press("cover-closed");
    await lamp("cover", "closed");
    await press("paper-near-end");
    await lamp("paper", "near end");
    await press("paper-end");
    await lamp("paper", "end");
    await press("paper-loaded");
    await lamp("paper", "there");
    await press("paper-jam");
    await lamp("error", "mechanical error");
    await press("jam-cleared");
    await press("power-cut");
    await lamp("online", "power off");
    await press("power-on");
    await press("link-cut");
    await lamp("online", "link cut");
    await press("link-restored");
    await lamp("online", "yes");
    await press("hot-head");
    await lamp("error", "head hot");
    await press("head-cooled");
    await press("unrecoverable-error");
    await lamp("error", "unrecoverable error");
    await press("power-cut");
    await press("power-on");
    await lamp("error", "none");
    await press("drawer-opened");
    await lamp("drawer", "open");
    await press("drawer-closed");
    await lamp("drawer", "shut");
    await press("feed-button");
    await page.locator("#strips img").waitFor();
    // The others show in the paper and on the wire only; the simulator takes all of them.
    for (const button of await page.locator("#faults button").all()) {
      await button.click();
      await page.locator("#told", { hasText: `Done: ${await button.getAttribute("data-fault")}` }).waitFor();
    }
    expect(complaints).toEqual([]);
  });

  it("goes on printing when paper is loaded, and a cutter jam needs the host, too", async () => {
    await page.locator("#typed").fill("paper-end@100");
    await page.locator("#typed").press("Enter");
    await page.locator("#told", { hasText: "Done: paper-end@100" }).waitFor();
    await print(sim, LINES(10) + CUT);
    await lamp("paper", "end");
    expect(await page.locator("#roll li").count()).toBe(0);
    await press("paper-loaded");
    await page.locator("#ticket-1").waitFor();
    await press("cutter-jam");
    await page.locator("#told", { hasText: "Done: cutter-jam" }).waitFor();
    await print(sim, LINES(1) + CUT);
    await lamp("error", "cutter error");
    await press("cutter-freed");
    await print(sim, "\x10\x05\x01");
    await page.locator("#ticket-2").waitFor();
    await lamp("error", "none");
    expect(complaints).toEqual([]);
  });

  it("says what is wrong with a fault that is none", async () => {
    await page.locator("#typed").fill("fire");
    await page.locator("#typed").press("Enter");
    await page.locator("#told", { hasText: /no fault "fire"; known: paper-end/ }).waitFor();
    // The browser itself reports the 400.
    expect(complaints).toEqual([expect.stringContaining("400")]);
  });

  it("shows replies, drawer and diagnostics", async () => {
    const host = connect(sim.tcp, "127.0.0.1");
    host.write(Buffer.from("\x10\x04\x01\x1dIC\x1bp\x00\x19\x7d\x1b\x01", "latin1"));
    await page.locator("#notes .reply", { hasText: "to connection 1: 12" }).waitFor();
    await page.locator("#notes .reply", { hasText: "“TM-m30III”" }).waitFor();
    await page.locator("#notes .drawer", { hasText: "pin 2, 50 ms" }).waitFor();
    await page.locator("#notes .diagnostic", { hasText: "1B 01" }).waitFor();
    await page.locator("#facts", { hasText: "drawer openedonce" }).waitFor();
    host.destroy();
    expect(complaints).toEqual([]);
  });

  it("keeps the paper over a reload, and two pages show the same", async () => {
    for (const name of ["one", "two", "three"]) await print(sim, `${name}\n${CUT}`);
    await page.locator("#ticket-3").waitFor();
    const numbers = ["ticket-3", "ticket-2", "ticket-1"];
    const shown = (of: Page) => of.locator("#roll li").evaluateAll((items) => items.map(({ id }) => id));
    expect(await shown(page)).toEqual(numbers);
    await page.reload();
    await page.locator("#ticket-1").waitFor();
    expect(await shown(page)).toEqual(numbers);
    const first = page;
    const second = await open();
    await second.locator("#ticket-1").waitFor();
    expect(await shown(second)).toEqual(numbers);
    await second.locator('[data-fault="cover-open"]').click();
    page = first;
    await lamp("cover", "open");
    expect(complaints).toEqual([]);
  });

  it("says that the simulator is away, and begins anew with the next one", async () => {
    await print(sim, `old\n${CUT}`);
    await page.locator("#ticket-1").waitFor();
    await kill(sim);
    await page.locator("#away").waitFor();
    expect(await page.locator("#ticket-1").isVisible()).toBe(true);
    sim = await startSim("--web", new URL(sim.url).port, "--speed", "real", "--profile", "xp-80");
    await page.locator("#profile", { hasText: "xp-80" }).waitFor();
    await page.locator("#away").waitFor({ state: "hidden" });
    expect(await page.locator("#roll li").count()).toBe(0);
    await print(sim, `new\n${CUT}`);
    await page.locator("#ticket-1 img[alt=new]").waitFor();
  });

  it.each([
    ["a desktop", { width: 1200, height: 900 }, "light"],
    ["a phone", { width: 360, height: 740 }, "light"],
    ["a phone in the dark", { width: 360, height: 740 }, "dark"],
  ] as const)("axe finds nothing on %s, and nothing stands out sideways", async (_, size, colorScheme) => {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const host = connect(sim.tcp, "127.0.0.1");
    host.write(Buffer.from(`\x10\x04\x01\x1b@${LINES(2)}${CUT}${LINES(40)}`, "latin1"));
    await page.locator("#ticket-1").waitFor();
    await page.locator("#strips img").first().waitFor();
    await press("paper-near-end");
    await lamp("paper", "near end");
    expect(await seriousFaults()).toEqual([]);
    expect(await ask("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.locator("#zoom button", { hasText: "3 : 1" }).click();
    expect(await ask("document.querySelector('#strips img').clientWidth")).toBe(3 * 576);
    expect(await ask("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    host.destroy();
    expect(complaints).toEqual([]);
  });

  it("can be used by the keyboard alone", async () => {
    const tabTo = async (wanted: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press("Tab");
        if ((await ask("document.activeElement.dataset.fault ?? document.activeElement.id")) === wanted) return;
      }
      throw new Error(`the keyboard does not reach ${wanted}`);
    };
    await tabTo("stage");
    await tabTo("cover-open");
    expect(await ask("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await page.keyboard.press("Enter");
    await lamp("cover", "open");
    await tabTo("cover-closed");
    await page.keyboard.press("Space");
    await lamp("cover", "closed");
    await tabTo("typed");
    await page.keyboard.type("paper-near-end");
    await page.keyboard.press("Enter");
    await lamp("paper", "near end");
  });
});
