import * as z from "zod";
import type { JobAnswer, JobView, PrinterView, SpoolView } from "../../protocol/api.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import { jobIdPattern, printerNameSchema } from "../../protocol/ids.ts";
import { type HistoryRow, type JobChange, jobChangeSchema } from "../../protocol/job.ts";
import { limits } from "../../protocol/limits.ts";
import { describeIssue } from "../../protocol/schema-issue.ts";
import type { Routes } from "../../runtime/listener.ts";

/** What the API door needs of the server; it translates and never decides. */
export interface ApiBackend {
  jobs(): JobView[];
  job(jobId: string): JobView | undefined;
  historyOf(jobId: string): HistoryRow | undefined;
  printers(): PrinterView[];
  spool(): SpoolView;
  cancel(jobId: string): void;
  /** Throws `job-unknown`, `job-processing`, `spools-contradict`. */
  change(jobId: string, change: JobChange): void;
  /** Throws `printer-unknown`. */
  pausePrinter(printer: string, reason: string): void;
  resumePrinter(printer: string): void;
  retry(jobId: string): void;
  /** Prints an ended job again; throws `image-missing`. */
  reprint(jobId: string, unmarked: boolean): void;
  /** The new job that is being made of this one. */
  copyOf(jobId: string): string | undefined;
  /** Throws `job-unknown`, `job-not-movable`, `printer-unknown`, `image-wrong-width`, `spool-full`. */
  move(jobId: string, printer: string): void;
}

const unmarkedHeld = "unmarked: a held job may be on paper already, so its duplicate has a mark";
const moveSchema = z.object({ printer: printerNameSchema });
const retrySchema = z.object({ unmarked: z.boolean().default(false) });
const pauseSchema = z.object({ reason: z.string().min(1).max(limits.reasonChars).default("paused by a person") });

/** Jobs and printers in the HTTP API of `protocol/api.ts`. */
export function mountApi({ app }: Routes, backend: ApiBackend): void {
  app.get("/api/health", (context) => context.json({ ok: true }));
  app.get("/api/jobs", (context) => context.json({ jobs: backend.jobs() }));
  app.get("/api/jobs/:id", (context) => context.json(answer(backend, context.req.param("id"))));
  app.post("/api/jobs/:id/cancel", (context) => {
    const jobId = context.req.param("id");
    answer(backend, jobId);
    backend.cancel(jobId);
    return context.json(answer(backend, jobId));
  });
  app.patch("/api/jobs/:id", async (context) => {
    const jobId = checked(context.req.param("id"));
    const change = jobChangeSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!change.success) throw new TwinspoolError("request-invalid", describeIssue(change.error));
    backend.change(jobId, change.data);
    return context.json(answer(backend, jobId));
  });
  app.post("/api/jobs/:id/move", async (context) => {
    const jobId = checked(context.req.param("id"));
    const body = moveSchema.safeParse(await bodyOf(context.req));
    if (!body.success) throw new TwinspoolError("request-invalid", describeIssue(body.error));
    backend.move(jobId, body.data.printer);
    return context.json(answer(backend, jobId));
  });
  app.post("/api/jobs/:id/retry", async (context) => {
    const jobId = context.req.param("id");
    const body = retrySchema.safeParse(await bodyOf(context.req));
    if (!body.success) throw new TwinspoolError("request-invalid", describeIssue(body.error));
    const { job, history } = answer(backend, jobId);
    if (history !== undefined) {
      backend.reprint(jobId, body.data.unmarked);
      return context.json(withCopy(backend, jobId));
    }
    if (body.data.unmarked) throw new TwinspoolError("request-invalid", unmarkedHeld);
    if (job?.state !== "pending-held") throw new TwinspoolError("job-not-held", jobId);
    if (!job.held.server) throw new TwinspoolError("image-missing", "only the client has it; print the document again");
    backend.retry(jobId);
    return context.json(withCopy(backend, jobId));
  });
  app.get("/api/printers", (context) => context.json({ printers: backend.printers() }));
  app.get("/api/spool", (context) => context.json({ spool: backend.spool() }));
  app.post("/api/printers/:name/pause", async (context) => {
    const body = pauseSchema.safeParse(await bodyOf(context.req));
    if (!body.success) throw new TwinspoolError("request-invalid", describeIssue(body.error));
    backend.pausePrinter(context.req.param("name"), body.data.reason);
    return context.json({ printers: backend.printers() });
  });
  app.post("/api/printers/:name/resume", (context) => {
    backend.resumePrinter(context.req.param("name"));
    return context.json({ printers: backend.printers() });
  });
}

/** The body of a request that may have none. */
async function bodyOf(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function checked(jobId: string): string {
  if (!jobIdPattern.test(jobId)) throw new TwinspoolError("job-unknown", jobId.slice(0, 60));
  return jobId;
}

function answer(backend: ApiBackend, jobId: string): JobAnswer {
  const job = backend.job(checked(jobId));
  if (job !== undefined) return { job };
  const history = backend.historyOf(jobId);
  if (history === undefined) throw new TwinspoolError("job-unknown", jobId);
  return { history };
}

function withCopy(backend: ApiBackend, jobId: string): JobAnswer {
  const copy = backend.copyOf(jobId);
  return { ...answer(backend, jobId), ...(copy === undefined ? {} : { copy }) };
}
