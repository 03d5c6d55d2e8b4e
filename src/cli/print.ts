import { stat } from "node:fs/promises";
import { jobPath } from "../client/api.ts";
import { openDesk, type PrintDesk } from "../client/desk.ts";
import { cutTitle, type PrintRequest } from "../client/print-request.ts";
import { jobAnswerSchema, type PrintEvent } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { sourceChoiceSchema, spoolsSchema } from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import { checkSpools } from "../runtime/config.ts";
import type { Config } from "../runtime/config-schema.ts";
import { requestJson } from "../runtime/image-transfer.ts";
import { parseDuration, parseMoment, parsePriority } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { type InputFile, openInput } from "./input-file.ts";
import { type ExitCode, exitCodes, type Io, interrupted, note } from "./io.ts";
import { exitCodeOfAll, PrintTracker } from "./print-tracker.ts";
import { ProgressLine } from "./progress.ts";
import { type CommonFlags, loadSettings } from "./settings.ts";

export interface PrintFlags extends CommonFlags {
  readonly printer?: string;
  readonly from?: string;
  readonly spool?: string;
  readonly title?: string;
  readonly copies?: string;
  readonly wait?: boolean;
  readonly priority?: string;
  readonly hold?: boolean;
  readonly at?: string;
  readonly expires?: string;
  readonly escpos?: boolean;
  /** What to call a document that no person has named. */
  readonly shownAs?: string;
}

/** What is the same for all documents of one command. */
type Wish = Omit<PrintRequest, "path" | "name" | "title" | "documentDateMs"> & { readonly title?: string };

/** Prints documents: through the client process of this machine, or as a client of its own. */
export async function runPrint(files: readonly string[], flags: PrintFlags, io: Io): Promise<ExitCode> {
  if (files.filter((file) => file === "-").length > 1)
    throw new UsageError("the standard input (-) can be printed once");
  const config = await loadSettings({ ...flags, printer: [] }, io);
  const wish = { ...parseSpools(flags), ...parseWish(flags) };
  const stop = interrupted();
  const desk = await openDesk({ config, onNote: (text) => note(io, text), humanLog: io.stderr.isTerminal });
  const session = new PrintSession(desk, flags, io, config.documentBytes);
  const leaving = new AbortController();
  try {
    const work = session.printAll(files, wish, leaving.signal);
    // After an interruption nobody waits for it any more.
    work.catch(() => {});
    const signal = await Promise.race([work, stop.signal]);
    session.progress.clear();
    if (signal === undefined) return exitCodeOfAll(session.trackers);
    leaving.abort();
    return await leave(session, config, flags, io);
  } finally {
    await desk.close();
    await session.closeInputs();
    stop.release();
  }
}

/** The documents of one command on their way. */
class PrintSession {
  readonly trackers: PrintTracker[] = [];
  readonly progress: ProgressLine;
  readonly desk: PrintDesk;
  readonly #flags: PrintFlags;
  readonly #io: Io;
  readonly #inputs: InputFile[] = [];
  readonly #maxDocumentBytes: number;

  constructor(desk: PrintDesk, flags: PrintFlags, io: Io, maxDocumentBytes: number) {
    this.#maxDocumentBytes = maxDocumentBytes;
    this.desk = desk;
    this.#flags = flags;
    this.#io = io;
    this.progress = new ProgressLine(io.stdout, () => performance.now());
  }

  /** One after another, so that they come out in the order they were named in; then waits for all of them. */
  async printAll(files: readonly string[], wish: Wish, signal: AbortSignal): Promise<undefined> {
    const waitFor = this.desk.isOwnClient || this.#flags.wait === true ? "ended" : "accepted";
    for (const file of files) {
      if (signal.aborted) return undefined;
      const tracker = new PrintTracker(this.#flags.shownAs ?? (file === "-" ? "stdin" : file), waitFor);
      this.trackers.push(tracker);
      await this.#print(file, tracker, wish);
    }
    await Promise.all(this.trackers.map((tracker) => tracker.settled));
    for (const tracker of this.trackers) this.#tellVerdict(tracker);
    await this.desk.finish(signal);
    return undefined;
  }

  async closeInputs(): Promise<void> {
    for (const input of this.#inputs) await input.close();
  }

  async #print(file: string, tracker: PrintTracker, wish: Wish): Promise<void> {
    const gone = (error: unknown): void => this.#fail(tracker, error);
    try {
      const input = await openInput(file, this.#io, this.#maxDocumentBytes);
      this.#inputs.push(input);
      const { title = input.name, ...rest } = wish;
      const documentDateMs = input.isCopy ? undefined : await modifiedMs(input.path);
      const order: PrintRequest = {
        ...rest,
        path: input.path,
        name: input.name,
        title: cutTitle(title),
        ...(documentDateMs === undefined ? {} : { documentDateMs }),
      };
      this.progress.update(`${tracker.file}: is sent`);
      await this.desk.print(order, (event) => this.#take(tracker, event), gone);
    } catch (error) {
      gone(error);
    }
  }

  #take(tracker: PrintTracker, event: PrintEvent): void {
    const isStep = tracker.take(event);
    if (this.#flags.json) {
      this.#io.stdout.write(`${JSON.stringify({ file: tracker.file, ...event })}\n`);
      return;
    }
    const ended = this.trackers.filter(({ verdict }) => verdict !== undefined).length;
    const count = this.trackers.length > 1 && this.#io.stdout.isTerminal ? `${ended}/${this.trackers.length} ` : "";
    const line = count + this.#describe(tracker);
    if (isStep && tracker.verdict !== "failed") this.progress.step(line);
    else this.progress.update(line);
  }

  #describe(tracker: PrintTracker): string {
    const job = tracker.jobId === undefined ? "" : ` (${tracker.jobId})`;
    return `${tracker.file}: ${tracker.sentence}${job}`;
  }

  #fail(tracker: PrintTracker, error: unknown): void {
    if (tracker.verdict !== undefined) return;
    const known = error instanceof TwinspoolError || error instanceof UsageError;
    const shown = known
      ? error
      : new TwinspoolError("internal", error instanceof Error ? error.message : String(error));
    tracker.fail(shown.message);
    if (!this.#flags.json) return;
    const code =
      shown instanceof TwinspoolError ? { code: shown.code, detail: shown.detail } : { detail: shown.message };
    this.#io.stdout.write(`${JSON.stringify({ file: tracker.file, event: "failed", ...code })}\n`);
  }

  /** On a terminal the drawn line is replaced by one that stays; what went wrong goes to the errors. */
  #tellVerdict(tracker: PrintTracker): void {
    this.progress.clear();
    const { verdict = "done" } = tracker;
    if (verdict !== "done") note(this.#io, `${tracker.file}: ${tracker.sentence}${jobHint(tracker)}`);
    else if (this.#io.stdout.isTerminal && !this.#flags.json) this.progress.line(this.#describe(tracker));
  }
}

function jobHint({ verdict, jobId }: PrintTracker): string {
  return verdict === "held" && jobId !== undefined ? ` (see: twinspool show ${jobId})` : "";
}

/** Ctrl-C: says where the jobs are now, and goes. */
async function leave(session: PrintSession, config: Config, flags: PrintFlags, io: Io): Promise<ExitCode> {
  let allTaken = true;
  for (const tracker of session.trackers) {
    const { file, jobId, verdict } = tracker;
    if (verdict === "done") continue;
    if (verdict === "failed") note(io, `${file}: ${tracker.sentence}`);
    else if (!tracker.taken || jobId === undefined) note(io, `${file}: was not taken yet, it will not be printed`);
    else note(io, `${file}: ${await whereabouts(session.desk, config, jobId)} (${jobId})`);
    allTaken &&= verdict !== "failed" && tracker.accepted;
  }
  // Asked to wait until the end, and interrupted before it: the end is not known.
  return allTaken && flags.wait !== true ? exitCodes.done : exitCodes.failed;
}

async function whereabouts(desk: PrintDesk, config: Config, jobId: string): Promise<string> {
  if (!desk.isOwnClient) return "goes on in the client process of this machine";
  const stays = "stays in this client's spool and goes on when a client runs again (twinspool client, or any print)";
  const key = config.key === undefined ? {} : { key: config.key };
  try {
    const answer = await requestJson("GET", `${config.server}${jobPath(jobId)}`, { ...key, timeoutMs: 1_000 });
    const { job, history } = jobAnswerSchema.parse(answer);
    if (history !== undefined) return "has ended";
    return job?.held.server === true ? "is left to the server, which has the image and prints it" : stays;
  } catch {
    return stays;
  }
}

// ---- what was asked for

/** What the command says of spools; the client chooses the rest. Throws `spools-contradict` and UsageError. */
export function parseSpools(flags: Pick<PrintFlags, "from" | "spool">): Pick<PrintRequest, "source" | "spools"> {
  const spools = flags.spool === undefined ? undefined : parseWord("--spool", flags.spool, spoolsSchema.options);
  const source = flags.from === undefined ? undefined : parseWord("--from", flags.from, sourceChoiceSchema.options);
  if (source !== undefined && spools !== undefined) checkSpools(source, spools);
  return { ...(source === undefined ? {} : { source }), ...(spools === undefined ? {} : { spools }) };
}

function parseWord<const Word extends string>(flag: string, value: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new UsageError(`${flag} ${value}: expected one of ${words.join(", ")}`);
  return word;
}

function parseWish(flags: PrintFlags): Omit<Wish, "source" | "spools"> {
  const { copies: text = "1", printer, title, priority, hold, at, expires, escpos } = flags;
  const copies = Number(text);
  if (!/^\d+$/.test(text) || copies < 1 || copies > limits.copies) {
    throw new UsageError(`--copies ${text}: expected a whole number from 1 to ${limits.copies}`);
  }
  return {
    copies,
    ...(printer === undefined ? {} : { printer }),
    ...(title === undefined || title === "" ? {} : { title }),
    ...(escpos === true ? { format: "escpos" } : {}),
    ...(priority === undefined ? {} : { priority: parsePriority(priority) }),
    ...(hold === true ? { held: true } : {}),
    ...(at === undefined ? {} : { holdMs: parseMoment("--at", at, Date.now()) }),
    ...(expires === undefined ? {} : { expiresMs: parseDuration("--expires", expires) }),
  };
}

/** Undefined for what cannot be read: whoever opens the document says so. */
async function modifiedMs(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : Math.max(0, Math.floor(found.mtimeMs));
}
