/**
 * Every bound of the protocol in one place, so that a reviewer sees what a hostile or broken peer can cost.
 * Units stand at the end of each name.
 */
export const limits = {
  /** Version of the control protocol; both sides must speak the same. */
  protocolVersion: 1,
  controlMessageBytes: 256 * 1024,
  openJobsPerMessage: 1000,
  titleChars: 128,
  nameChars: 64,
  reasonChars: 500,
  printersPerServer: 64,
  ledgerRecordsPerMessage: 200,
  /** Largest print image a host takes into memory, and so the largest anyone accepts. */
  imageBytes: 16 * 1024 * 1024,
  imagePages: 500,
  imageWidthDots: 4096,
  /** 32 m of paper at 203 dpi. */
  imageHeightDots: 262_144,
  openJobsPerClient: 1000,
  /** Of all clients together; a client may call itself by any number of names. */
  openJobsPerServer: 20_000,
  /** Clients in one life of their disk whose oldest open job a server remembers. */
  originsPerServer: 4096,
  /** Of a document, unless the configuration says otherwise; it is streamed, so it costs time and disk, not memory. */
  documentBytes: 64 * 1024 * 1024,
  documentBytesAtMost: 16 * 1024 * 1024 * 1024,
  copies: 99,
  /** Holding and expiry: a year. */
  jobDelayMs: 366 * 24 * 60 * 60 * 1000,
  eventsPerJob: 40,
} as const;

/** Timers of the protocol, milliseconds. They decide speed, never safety (design §3). */
export const defaultTimers = {
  retryFirstMs: 500,
  retryLastMs: 30_000,
  /** A server that has not answered for this long counts as silent: the client prints by itself. */
  serverSilentMs: 5_000,
  /** S49: a started client that has not made the host begin the job by then is taken over. */
  startTimeoutMs: 5_000,
  /** The host forgets a half-received image after this silence of its sender. */
  imageTransferTimeoutMs: 10_000,
  /** How long the host looks for a late process-ID answer after a restart. */
  evidenceTimeoutMs: 3_000,
  /** Open jobs are compared with the peer this often while the link is up. */
  statusIntervalMs: 30_000,
} as const;

export type Timers = { readonly [K in keyof typeof defaultTimers]: number };
