import { request } from "node:http";
import { checkEvidence, type Evidence, type Order } from "./checker.ts";
import type { Passing } from "./link-proxy.ts";
import { describePlan, type Plan } from "./plan.ts";
import { type Line, pastTimeoutsMs } from "./program.ts";
import { type Listener, linksOf, type Shop } from "./shop.ts";
import type { Victim } from "./steps.ts";
import { drawTicket } from "./ticket.ts";

export type Outcome = "printed" | "indeterminate" | "canceled" | "not-accepted";

export interface RunResult {
  /** The step was seen and the fault happened. */
  readonly hit: boolean;
  readonly outcome: Outcome;
  readonly violations: readonly string[];
}

const headDots = 576;
/** Everything is quiet long before, also on a machine that has much else to do; who is not by then, never will be. */
const patienceMs = 150_000;
/** Step 313 only comes when the client hears of the end first: so long the server's copy of 311 waits for it. */
const headStartMs = 1_500;
const lookMs = 150;

/** One job, one fault, and then quiet. */
export class Run implements Listener {
  readonly #shop: Shop;
  readonly #plan: Plan;
  readonly #orders: Order[];
  readonly #order: Order;
  /** Ids of earlier jobs, whose late messages are none of this run. */
  readonly #older: ReadonlySet<string>;
  #jobId: string | undefined;
  #isHit = false;
  #isHealed = true;
  #broken: string | undefined;
  /** The client has told the user everything, or broke off. */
  #isAnswered = false;
  #healing: Promise<void> = Promise.resolve();
  #asked: Promise<void> = Promise.resolve();
  #jobEndedSeen = false;

  constructor(shop: Shop, plan: Plan, orders: Order[], older: ReadonlySet<string>) {
    this.#shop = shop;
    this.#plan = plan;
    this.#orders = orders;
    this.#older = older;
    const number = orders.length + 1;
    const title = `ticket ${number} ${plan.step.step} ${plan.victim} ${plan.fault}`;
    this.#order = { number, title, accepted: false, cancelAsked: false, mayBeIndeterminate: false };
    orders.push(this.#order);
  }

  get jobId(): string | undefined {
    return this.#jobId;
  }

  async run(): Promise<RunResult> {
    this.#shop.note(`== ${describePlan(this.#plan)}`);
    this.#shop.listener = this;
    void this.#submit().then(() => {
      this.#isAnswered = true;
      this.#shop.note("user: nothing more");
    });
    const violations = await this.#settle();
    this.#shop.listener = undefined;
    const evidence = this.#shop.witness.look();
    const record = evidence.ledger.find((entry) => entry.title === this.#order.title);
    const outcome = record === undefined || record.state === "intent" ? "not-accepted" : record.state;
    this.#shop.note(`== ${outcome} ${violations.join("; ")}`);
    return { hit: this.#isHit, outcome, violations };
  }

  // ---- the user

  /** Resolves when the client has nothing more to say, in good order or not. */
  #submit(): Promise<void> {
    const { title, number } = this.#order;
    const query = new URLSearchParams({ title, name: "ticket.png", source: this.#plan.source, spools: "both" });
    return new Promise((resolve) => {
      const asked = request(`${this.#shop.url("client")}/api/documents?${query}`, { method: "PUT", agent: false });
      asked.on("response", (response) => {
        let held = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          const lines = (held + text).split("\n");
          held = lines.pop() ?? "";
          for (const line of lines) this.#heard(line);
        });
        response.on("close", resolve);
        response.on("error", () => resolve());
      });
      asked.on("error", () => resolve());
      asked.end(drawTicket(number, headDots));
    });
  }

  #heard(line: string): void {
    this.#shop.note(`user: ${line}`);
    const { event, jobId } = JSON.parse(line) as { readonly event: string; readonly jobId?: string };
    this.#jobId ??= jobId;
    if (event === "accepted") this.#order.accepted = true;
  }

  async #cancel(): Promise<void> {
    const { victim, fault } = this.#plan;
    const asks = fault !== "cut" && victim === "client" ? "server" : "client";
    if (this.#jobId === undefined) return;
    this.#order.cancelAsked = true;
    await post(`${this.#shop.url(asks)}/api/jobs/${this.#jobId}/cancel`).catch(() => {});
  }

  // ---- the step

  tap(passing: Passing): Promise<(() => void) | undefined> | undefined {
    const { happening, from, to } = passing;
    const message = happening.kind === "message" ? happening.message : undefined;
    const jobId = message === undefined ? undefined : jobIdOf(message);
    if (jobId !== undefined && this.#older.has(jobId)) return undefined;
    if (jobId !== undefined && !isList(message?.type)) this.#jobId ??= jobId;
    if (message?.type === "jobEnded") this.#jobEndedSeen = true;
    const { sign, moment, step } = this.#plan;
    if (step.step === 313 && message?.type === "outputEnded" && to === "server" && !this.#jobEndedSeen) {
      return this.#headStart();
    }
    const isSign =
      (sign.kind === "message" && message?.type === sign.type && jobId !== undefined) ||
      (sign.kind === "upload" && happening.kind === "request" && happening.method === "PUT");
    if (this.#isHit || !isSign || sign.from !== from || sign.to !== to) return undefined;
    this.#isHit = true;
    if (moment === "before") return this.#strike().then(() => undefined);
    return Promise.resolve(() => void this.#strike());
  }

  async #headStart(): Promise<undefined> {
    const untilMs = performance.now() + headStartMs;
    while (!this.#jobEndedSeen && performance.now() < untilMs) await this.#shop.somethingHappens(lookMs);
    return undefined;
  }

  onTrace(role: Victim, line: Line): void {
    const { sign, moment, delayMs } = this.#plan;
    const jobId = typeof line.job === "string" ? line.job : undefined;
    if (jobId === undefined || this.#older.has(jobId)) return;
    this.#jobId ??= jobId;
    if (this.#isHit || sign.kind !== "trace" || sign.role !== role) return;
    if (line.step !== sign.line && line.msg !== sign.line) return;
    this.#isHit = true;
    if (moment === "before") void this.#strike();
    else setTimeout(() => void this.#strike(), delayMs);
  }

  // ---- the fault

  async #strike(): Promise<void> {
    const { victim, fault, isLong, cut, cancels } = this.#plan;
    this.#shop.note(`== the fault: ${victim} ${fault}`);
    this.#isHealed = false;
    if (fault === "cut") {
      for (const name of cut.links) this.#shop.link(name).cut(cut.kind);
      if (cut.links.includes("host-printer")) this.#order.mayBeIndeterminate = true;
    } else if (fault === "stop") {
      this.#shop.program(victim).signal("SIGSTOP");
    } else {
      await this.#shop.program(victim).kill();
      // What it has sent and nobody has got yet is lost with it.
      for (const name of linksOf(victim)) for (const link of this.#shop.link(name).connections) link.destroy();
      if (victim === "host") this.#order.mayBeIndeterminate = this.#hasIntent();
    }
    this.#healing = this.#heal(isLong ? pastTimeoutsMs : 0).catch((error: unknown) => {
      this.#broken = `it did not come back: ${String(error)}`;
    });
    if (cancels) this.#asked = this.#cancel();
  }

  /** The host was killed between INTENT and PRINTED: only then it may be unable to know. */
  #hasIntent(): boolean {
    return this.#shop.witness.ledger().some(({ title, state }) => title === this.#order.title && state === "intent");
  }

  async #heal(afterMs: number): Promise<void> {
    const { victim, fault, cut } = this.#plan;
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    this.#shop.note(`== healed: ${victim} ${fault}`);
    if (fault === "cut") for (const name of cut.links) this.#shop.link(name).heal();
    else if (fault === "stop") this.#shop.program(victim).signal("SIGCONT");
    else await this.#shop.start(victim);
    this.#isHealed = true;
  }

  // ---- quiet

  /** Until nothing is left to do and nothing is wrong; what is wrong when the patience ends. */
  async #settle(): Promise<string[]> {
    const untilMs = performance.now() + patienceMs;
    let wrong: string[] = ["I7 the user is never answered"];
    while (performance.now() < untilMs) {
      await this.#shop.somethingHappens(lookMs);
      if (this.#broken !== undefined) return [this.#broken];
      if (!this.#isHealed) continue;
      await this.#healing;
      // What happens now comes in crowds.
      await new Promise((resolve) => setTimeout(resolve, lookMs / 3));
      if (!this.#isAnswered) {
        await this.#decide().catch(() => {});
        continue;
      }
      const open = await this.#whatIsOpen();
      wrong = open.length > 0 ? open : this.#look();
      if (wrong.length === 0 || wrong.some(isForEver)) break;
    }
    await this.#asked;
    return wrong;
  }

  #look(): string[] {
    let evidence: Evidence;
    try {
      evidence = this.#shop.witness.look();
    } catch (error) {
      // A file that is being written at this moment is looked at again.
      return [`the evidence cannot be read: ${String(error)}`];
    }
    return checkEvidence(evidence, this.#orders);
  }

  /** A person looks at the paper of what nobody can know, and lets it be. The queue as it was. */
  async #decide(): Promise<readonly Job[]> {
    const server = this.#shop.url("server");
    const { jobs } = await getJson<Jobs>(`${server}/api/jobs`);
    for (const job of jobs) if (isUndecided(job)) await post(`${server}/api/jobs/${job.jobId}/cancel`);
    return jobs;
  }

  async #whatIsOpen(): Promise<string[]> {
    try {
      const [client, server] = [this.#shop.url("client"), this.#shop.url("server")];
      const queue = await this.#decide();
      if (queue.length > 0) return queue.map((job) => `I7 ${job.title} is open at the server: ${job.reason}`);
      const { jobs: own } = await getJson<Jobs>(`${client}/api/jobs`);
      if (own.length > 0) return own.map((job) => `I7 ${job.title} is open at the client: ${job.reason}`);
      const { serverLinked } = await getJson<{ serverLinked: boolean }>(`${client}/api/health`);
      if (!serverLinked) return ["the client does not find its server"];
      const { printers } = await getJson<Printers>(`${server}/api/printers`);
      const isIdle = printers.some(({ linked, state }) => linked && state.state === "idle");
      return isIdle ? [] : ["the server does not find its printer"];
    } catch (error) {
      return [`a process does not answer: ${String(error)}`];
    }
  }
}

interface Job {
  readonly jobId: string;
  readonly title: string;
  readonly state: string;
  readonly reason: string;
  readonly outcome?: { readonly outcome: string };
}
interface Jobs {
  readonly jobs: readonly Job[];
}
interface Printers {
  readonly printers: readonly { readonly linked: boolean; readonly state: { readonly state: string } }[];
}

/** What is on paper stays there: waiting mends a late record, and never this. */
function isForEver(violation: string): boolean {
  return /^I[13] /.test(violation);
}

/** Held for a person, who has looked at the paper and lets it be. */
function isUndecided({ state, outcome }: Job): boolean {
  return state === "pending-held" && outcome?.outcome === "indeterminate";
}

/** Lists name jobs without being about one. */
function isList(type: string | undefined): boolean {
  return type === "openJobsListed" || type === "ledgerListed";
}

function jobIdOf(message: { readonly [key: string]: unknown }): string | undefined {
  for (const holder of [message, message["ticket"], message["record"]]) {
    if (typeof holder !== "object" || holder === null || !("jobId" in holder)) continue;
    if (typeof holder.jobId === "string") return holder.jobId;
  }
  return undefined;
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  return (await response.json()) as T;
}

async function post(url: string): Promise<void> {
  const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
}
