import { spoolHeader } from "../protocol/api.ts";
import { TwinspoolError } from "../protocol/errors.ts";
import { jobIdPattern } from "../protocol/ids.ts";
import type { Routes } from "../runtime/listener.ts";

/** What this door needs of the client. */
export interface PreviewBackend {
  /** The whole print image of a job of this client; throws `image-missing` when it is not in this spool. */
  image(jobId: string): Promise<Uint8Array>;
  /** What the server has at this path of its API; throws the server's refusal, or `server-unreachable`. */
  download(path: string): Promise<Uint8Array>;
}

/** The print image of any job, also of another client's: from this client's spool, else from the server's. */
export function mountPreviewDoor({ app }: Routes, client: PreviewBackend): void {
  app.get("/api/jobs/:id/image", async (context) => {
    const { bytes, spool } = await find(client, context.req.param("id"), "image", (image) => Promise.resolve(image));
    return context.body(new Uint8Array(bytes), 200, { [spoolHeader]: spool, "content-type": "image/pwg-raster" });
  });
  app.get("/api/jobs/:id/preview.png", async (context) => {
    const { bytes, spool } = await find(client, context.req.param("id"), "preview.png", async (image) => {
      const { previewPng } = await import("../image/png-writer.ts");
      return previewPng(image);
    });
    return context.body(new Uint8Array(bytes), 200, { [spoolHeader]: spool, "content-type": "image/png" });
  });
}

async function find(
  client: PreviewBackend,
  jobId: string,
  name: string,
  draw: (image: Uint8Array) => Promise<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array; readonly spool: "client" | "server" }> {
  if (!jobIdPattern.test(jobId)) throw new TwinspoolError("job-unknown", jobId.slice(0, 60));
  let image: Uint8Array;
  try {
    image = await client.image(jobId);
  } catch (error) {
    if (!(error instanceof TwinspoolError) || error.code !== "image-missing") throw error;
    return { bytes: await client.download(`/api/jobs/${jobId}/${name}`), spool: "server" };
  }
  return { bytes: await draw(image), spool: "client" };
}
