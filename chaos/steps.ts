import type { Role } from "./link-proxy.ts";

/** The processes that faults happen to. */
export const victims = ["client", "server", "host"] as const;
export type Victim = (typeof victims)[number];

export const faults = ["kill", "stop", "cut"] as const;
export type Fault = (typeof faults)[number];

export type Source = "client" | "server";

/** Where a step can be seen from outside. */
export type Sign =
  /** A control message on its way. */
  | { readonly kind: "message"; readonly type: string; readonly from: Role; readonly to: Role }
  /** The head of an upload on its way. */
  | { readonly kind: "upload"; readonly from: Role; readonly to: Role }
  /** A line of the process's log. */
  | { readonly kind: "trace"; readonly role: Victim; readonly line: string | number };

export interface Step {
  readonly step: number;
  readonly what: string;
  /** Signs of this step when that side sends the image; undefined when the step does not come then. */
  readonly signs: Readonly<Record<Source, readonly Sign[] | undefined>>;
}

const message = (type: string, from: Role, to: Role): Sign => ({ kind: "message", type, from, to });
const upload = (from: Role, to: Role): Sign => ({ kind: "upload", from, to });
const trace = (role: Victim, line: string | number): Sign => ({ kind: "trace", role, line });

/** The same whoever sends the image. */
function always(step: number, what: string, ...signs: Sign[]): Step {
  return { step, what, signs: { client: signs, server: signs } };
}

/** Steps of the published design. A number as a trace is the `step` of a debug line, a text a line of the log. */
export const steps: readonly Step[] = [
  always(301, "jobRequested", message("jobRequested", "client", "server")),
  always(302, "job row durable at the server", trace("server", "job-added")),
  always(303, "jobAccepted", message("jobAccepted", "server", "client")),
  always(304, "image durable at the client", trace("client", 304)),
  always(
    305,
    "image to the server, imageStored",
    upload("client", "server"),
    message("imageStored", "server", "client"),
  ),
  always(306, "image durable at the server", trace("server", 306)),
  { step: 307, what: "jobStarted", signs: { client: [message("jobStarted", "server", "client")], server: undefined } },
  {
    step: 308,
    what: "senderReady",
    signs: { client: [message("senderReady", "client", "server")], server: undefined },
  },
  {
    step: 309,
    what: "imageOffered, image to the host",
    signs: {
      client: [message("imageOffered", "client", "host"), upload("client", "host")],
      server: [message("imageOffered", "server", "host"), upload("server", "host")],
    },
  },
  always(310, "INTENT durable, the output begins", trace("host", 310)),
  {
    step: 311,
    what: "outputEnded",
    signs: {
      client: [message("outputEnded", "host", "client"), message("outputEnded", "host", "server")],
      server: [message("outputEnded", "host", "server")],
    },
  },
  {
    step: 312,
    what: "outputAcknowledged",
    signs: {
      client: [message("outputAcknowledged", "client", "host"), message("outputAcknowledged", "server", "host")],
      server: [message("outputAcknowledged", "server", "host")],
    },
  },
  { step: 313, what: "jobEnded", signs: { client: [message("jobEnded", "client", "server")], server: undefined } },
  always(314, "outcome known to the server", trace("server", "job-ended")),
  always(315, "history in and job out, durable", trace("server", 315)),
  always(316, "image erased at the server", trace("server", 316)),
  always(317, "jobClosed", message("jobClosed", "server", "client")),
  always(318, "row erased at the client", trace("client", 318)),
];
