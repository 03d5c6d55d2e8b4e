import { spoolHeader } from "../../protocol/api.ts";
import { TwinspoolError } from "../../protocol/errors.ts";
import { jobIdPattern } from "../../protocol/ids.ts";
import type { Routes } from "../../runtime/listener.ts";

/** What this door needs of the server. */
export interface PreviewBackend {
  /** The whole print image of a queued or kept job; throws `job-unknown`, `image-missing`. */
  image(jobId: string): Promise<Uint8Array>;
}

const fromServer = { [spoolHeader]: "server" };

/** The print images of queued and kept jobs, as they are and as a picture. */
export function mountPreviews({ app }: Routes, backend: PreviewBackend): void {
  app.get("/api/jobs/:id/image", async (context) => {
    const image = await backend.image(checked(context.req.param("id")));
    return context.body(new Uint8Array(image), 200, { ...fromServer, "content-type": "image/pwg-raster" });
  });
  app.get("/api/jobs/:id/preview.png", async (context) => {
    const image = await backend.image(checked(context.req.param("id")));
    // Rarely needed: loaded when the first person looks.
    const { previewPng } = await import("../../image/png-writer.ts");
    return context.body(new Uint8Array(await previewPng(image)), 200, { ...fromServer, "content-type": "image/png" });
  });
}

function checked(jobId: string): string {
  if (!jobIdPattern.test(jobId)) throw new TwinspoolError("job-unknown", jobId.slice(0, 60));
  return jobId;
}
