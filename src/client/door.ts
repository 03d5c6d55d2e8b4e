import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import type { JobView, PrintEvent, PrinterView, SpoolView } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import {
  type JobChange,
  jobChangeSchema,
  type PrinterAttributes,
  sourceChoiceSchema,
  spoolsSchema,
} from "../protocol/job.ts";
import { limits } from "../protocol/limits.ts";
import { describeIssue } from "../protocol/schema-issue.ts";
import { type Routes, sendError } from "../runtime/listener.ts";
import type { ClientJob } from "./client-state.ts";
import { viewClientJob } from "./job-view.ts";
import type { PrintRequest } from "./print-request.ts";

/** What the door needs of the client; it translates and never decides. */
export interface ClientBackend {
  readonly jobs: readonly ClientJob[];
  readonly printers: readonly PrinterAttributes[];
  readonly serverLinked: boolean;
  job(jobId: string): ClientJob | undefined;
  cancel(jobId: string): void;
  /** Throws `job-unknown`, `job-processing`, `spools-contradict`. */
  change(jobId: string, change: JobChange): void;
  spool(): SpoolView;
  print(request: PrintRequest, onEvent: (event: PrintEvent) => void): Promise<string>;
}

const numberText = z.string().regex(/^\d+$/).transform(Number);
const querySchema = z.object({
  title: z.string().min(1).max(1_000),
  name: z.string().max(1_000).optional(),
  format: z.literal("escpos").optional(),
  printer: z.string().max(64).optional(),
  source: sourceChoiceSchema.optional(),
  spools: spoolsSchema.optional(),
  copies: numberText.pipe(z.int().min(1).max(limits.copies)).optional(),
  documentDateMs: numberText.optional(),
  priority: numberText.pipe(z.int().min(1).max(100)).optional(),
  held: z.enum(["true", "false"]).optional(),
  holdMs: numberText.pipe(z.int().max(limits.jobDelayMs)).optional(),
  expiresMs: numberText.pipe(z.int().max(limits.jobDelayMs)).optional(),
});

/** Where documents lie while images are made of them, and how large they may be. */
interface DocumentDesk {
  readonly folder: string;
  readonly documentBytes: number;
}

/** The client's own HTTP door (`protocol/api.ts`): for the command line and programs of this machine. */
export function mountClientDoor(routes: Routes, client: ClientBackend, desk: DocumentDesk): void {
  const { app } = routes;
  const view = (jobId: string): JobView => {
    const job = client.job(jobId);
    if (job === undefined)
      throw new TwinspoolError("job-unknown", `${jobId.slice(0, 60)} is no open job of this client`);
    return viewClientJob(job, client.serverLinked);
  };
  app.get("/api/health", (context) => context.json({ ok: true, serverLinked: client.serverLinked }));
  app.get("/api/jobs", (context) =>
    context.json({ jobs: client.jobs.map((job) => viewClientJob(job, client.serverLinked)) }),
  );
  app.get("/api/jobs/:id", (context) => context.json({ job: view(context.req.param("id")) }));
  app.post("/api/jobs/:id/cancel", (context) => {
    const jobId = context.req.param("id");
    view(jobId);
    client.cancel(jobId);
    const job = client.job(jobId);
    return context.json(job === undefined ? {} : { job: viewClientJob(job, client.serverLinked) });
  });
  app.patch("/api/jobs/:id", async (context) => {
    const jobId = context.req.param("id");
    const change = jobChangeSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!change.success) throw new TwinspoolError("request-invalid", describeIssue(change.error));
    client.change(jobId, change.data);
    return context.json({ job: view(jobId) });
  });
  app.get("/api/spool", (context) => context.json({ spool: client.spool() }));
  app.get("/api/printers", (context) => {
    const printers: PrinterView[] = client.printers.map((attributes) => ({
      attributes,
      state: { state: "stopped", reasons: ["unknown-to-this-client"] },
      linked: false,
      queuedJobs: client.jobs.filter((job) => job.row.ticket.printer === attributes.name).length,
    }));
    return context.json({ printers });
  });
  routes.rawRoute("PUT", "/api/documents", (request, response) => takeDocument(request, response, client, desk));
}

/** Document in, a line of JSON for each event out, until the job has ended or the asker has gone. */
async function takeDocument(
  request: IncomingMessage,
  response: ServerResponse,
  client: ClientBackend,
  { folder, documentBytes }: DocumentDesk,
): Promise<void> {
  const path = join(folder, randomUUID());
  try {
    const wanted = parseQuery(request);
    await mkdir(folder, { recursive: true });
    await pipeline(bounded(request, documentBytes), createWriteStream(path, { flags: "wx", mode: 0o600 }));
    await client.print({ ...wanted, path }, (event) => tell(response, event));
  } catch (error) {
    if (!response.headersSent) return sendError(response, error);
    const known = error instanceof TwinspoolError ? error : new TwinspoolError("internal", String(error));
    tell(response, { event: "failed", code: known.code, detail: known.detail });
  } finally {
    await rm(path, { force: true });
  }
}

function tell(response: ServerResponse, event: PrintEvent): void {
  if (!response.headersSent) response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write(`${JSON.stringify(event)}\n`);
  if (event.event === "closed" || event.event === "refused" || event.event === "failed") response.end();
}

async function* bounded(request: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TwinspoolError("document-too-large", `documentBytes of this client allows ${maxBytes}`);
    }
    yield chunk;
  }
}

function parseQuery(request: IncomingMessage): Omit<PrintRequest, "path"> {
  const { searchParams } = new URL(request.url ?? "/", "http://localhost");
  const parsed = querySchema.safeParse(Object.fromEntries(searchParams));
  if (!parsed.success) {
    throw new TwinspoolError("request-invalid", describeIssue(parsed.error));
  }
  const { name, format, printer, documentDateMs, title, source, spools, copies } = parsed.data;
  const { priority, held, holdMs, expiresMs } = parsed.data;
  return {
    title,
    ...(source === undefined ? {} : { source }),
    ...(spools === undefined ? {} : { spools }),
    copies: copies ?? 1,
    ...(name === undefined ? {} : { name }),
    ...(format === undefined ? {} : { format }),
    ...(printer === undefined ? {} : { printer }),
    ...(documentDateMs === undefined ? {} : { documentDateMs }),
    ...(priority === undefined ? {} : { priority }),
    ...(held === "true" ? { held: true } : {}),
    ...(holdMs === undefined ? {} : { holdMs }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
}
