import type { JobView } from "../../protocol/api.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import { type ClientProof, clientProofHeader, parseProof } from "../../runtime/client-proof.ts";
import type { Routes } from "../../runtime/listener.ts";
import { isLoopback } from "../../runtime/loopback.ts";

/** What this door needs of the server. */
export interface VisibilityBackend {
  /** Throws `client-wrong` when the secret is not that client's. */
  checkProof(proof: ClientProof): void;
  /** The client whose job it is, also of its marked duplicates. */
  ownerOf(jobId: string): string;
}

/**
 * With visibility `own`, a client sees and changes what is its own, and people at the server's machine everything. What
 * is not named here is not for clients. Mounted before the doors it stands in front of.
 */
export function mountVisibility({ app }: Routes, backend: VisibilityBackend): void {
  /** Requests that were rewritten and come by again. */
  const passed = new WeakSet<Request>();
  app.use("/api/*", async (context, next) => {
    if (passed.has(context.req.raw) || context.req.path === "/api/health") return next();
    const clientId = viewerOf(backend, context.req.header(clientProofHeader), addressOf(context.env));
    if (clientId === undefined) return next();
    const { method, path } = context.req;
    const [, , room = "", jobId] = path.split("/");
    if (jobId !== undefined && room === "jobs") {
      // The same answer as for a job that never was: whether it is there is also the owner's business.
      if (backend.ownerOf(jobId) !== clientId) throw new TwinspoolError("job-unknown", jobId.slice(0, 60));
      return next();
    }
    if (method !== "GET") throw refused(path);
    if (path === "/api/printers") return next();
    if (path === "/api/jobs") {
      await next();
      const { jobs } = (await context.res.json()) as { jobs: readonly JobView[] };
      context.res = context.json({ jobs: jobs.filter((job) => backend.ownerOf(job.jobId) === clientId) });
      return;
    }
    if (!/^\/api\/history(\.csv|\.ndjson)?$/.test(path)) throw refused(path);
    const url = new URL(context.req.url);
    url.searchParams.set("job", narrowed(url.searchParams.get("job") ?? "", clientId));
    const request = new Request(url, { headers: context.req.raw.headers });
    passed.add(request);
    return app.fetch(request, context.env);
  });
}

/** Whose eyes they are; undefined for those that see everything. */
export function viewerOf(
  backend: Pick<VisibilityBackend, "checkProof">,
  header: string | undefined,
  address: string | undefined,
): string | undefined {
  const proof = parseProof(header);
  if (proof !== undefined) {
    backend.checkProof(proof);
    return proof.clientId;
  }
  // ::ffff:127.0.0.1 is how a listener on :: sees IPv4 (RFC 4291 §2.5.5.2).
  if (address !== undefined && isLoopback(address.replace(/^::ffff:/i, ""))) return undefined;
  throw new TwinspoolError("not-shown", "the request does not say which client asks");
}

function addressOf(env: { readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } } }) {
  return env.incoming?.socket.remoteAddress;
}

/** The beginning of a job id that both the asker and the setting allow. */
function narrowed(wanted: string, clientId: string): string {
  const own = `${clientId}-`;
  return wanted.startsWith(own) ? wanted : own.startsWith(wanted) ? own : `${own}none`;
}

function refused(path: string): TwinspoolError {
  return new TwinspoolError("not-shown", path);
}
