import * as z from "zod";
import { errorCodes } from "./errors.ts";
import {
  clientIdSchema,
  clientSecretSchema,
  incarnationSchema,
  jobIdSchema,
  nonceSchema,
  printerNameSchema,
} from "./ids.ts";
import {
  jobSettingsSchema,
  jobTicketSchema,
  outcomeRecordSchema,
  printerAttributesSchema,
  printerStateSchema,
  sourceSchema,
} from "./job.ts";
import { limits } from "./limits.ts";

/** The parties of a control link. A client and a host are named, there is one server. */
export type Peer = "server" | `client:${string}` | `host:${string}`;

const epochSchema = z
  .int()
  .min(0)
  .max(2 ** 31);
const codeSchema = z.enum(errorCodes);
const detailSchema = z.string().max(limits.reasonChars);
const jobIdsSchema = z.array(jobIdSchema).max(limits.openJobsPerMessage);
const revisionSchema = z.int().min(0);
const lowestOpenSchema = z.int().min(1);

/** `beside`: the printer host stands on the client's machine. `loaded`: the client's network has much to carry. */
const clientWaySchema = z.enum(["beside", "loaded"]);
export type ClientWay = z.infer<typeof clientWaySchema>;

/**
 * First message of the side that dials. `key` is the shared key, needed as soon as anyone listens beyond this machine.
 * A client says the nonce of its present life, a host the incarnation of its ledger.
 */
export const helloSchema = z.discriminatedUnion("role", [
  z.object({
    type: z.literal("hello"),
    version: z.int(),
    role: z.literal("client"),
    clientId: clientIdSchema,
    nonce: nonceSchema,
    name: z.string().max(limits.nameChars),
    /** Only for the server: proves that it is the client that came first under this id. */
    secret: clientSecretSchema.optional(),
    key: z.string().max(256).optional(),
  }),
  z.object({
    type: z.literal("hello"),
    version: z.int(),
    role: z.literal("host"),
    printer: printerNameSchema,
    hostIncarnation: incarnationSchema,
    key: z.string().max(256).optional(),
  }),
  z.object({
    type: z.literal("hello"),
    version: z.int(),
    role: z.literal("server"),
    key: z.string().max(256).optional(),
  }),
]);
export type Hello = z.infer<typeof helloSchema>;

/** Answer to a hello: the link is open, or why not. */
export const helloAnswerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("helloAccepted"), version: z.int() }),
  z.object({ type: z.literal("helloRefused"), code: codeSchema, detail: detailSchema }),
]);

/** Every control message. Named in the past tense: what its sender says has happened (design §2, §9). */
export const messageSchema = z.discriminatedUnion("type", [
  // client -> server
  z.object({
    type: z.literal("jobRequested"),
    ticket: jobTicketSchema,
    clientKeepsImage: z.boolean(),
    /** Absent while they are as the ticket says. */
    settings: jobSettingsSchema.optional(),
    /** How long ago it was requested, by the client's own clock. */
    ageMs: z.int().min(0).optional(),
    /** Why the client asks the server to keep no copy, such as a loaded network. */
    withoutServerCopy: detailSchema.optional(),
    /** Why the client keeps no image although its settings ask for it, such as a full spool. */
    withoutClientCopy: detailSchema.optional(),
    /** What lies between the client's image and the printer, when that is worth a word (source `auto`). */
    clientWay: clientWaySchema.optional(),
  }),
  z.object({ type: z.literal("senderReady"), jobId: jobIdSchema, epoch: epochSchema }),
  z.object({
    type: z.literal("senderHasNoImage"),
    jobId: jobIdSchema,
    epoch: epochSchema,
    reason: z.enum(["no-image", "host-unreachable", "offer-refused"]),
    code: codeSchema.optional(),
  }),
  z.object({ type: z.literal("jobEnded"), ticket: jobTicketSchema, outcome: outcomeRecordSchema }),
  z.object({
    type: z.literal("openJobsListed"),
    jobIds: jobIdsSchema,
    nonce: nonceSchema,
    lowestOpen: lowestOpenSchema,
    /** Ids from here on did not exist when the list was made. */
    nextSequence: lowestOpenSchema,
  }),
  z.object({ type: z.literal("jobCancelRequested"), jobId: jobIdSchema }),
  // server -> client
  z.object({
    type: z.literal("printersListed"),
    printers: z.array(printerAttributesSchema).max(limits.printersPerServer),
  }),
  z.object({
    type: z.literal("jobAccepted"),
    jobId: jobIdSchema,
    wantImage: z.boolean(),
    /** The server's copy is durable, and the settings of this revision let nobody but a newer one take it away. */
    hasImage: z.boolean().optional(),
    revision: revisionSchema.optional(),
  }),
  z.object({ type: z.literal("jobChanged"), jobId: jobIdSchema, settings: jobSettingsSchema }),
  z.object({ type: z.literal("jobRefused"), jobId: jobIdSchema, code: codeSchema, detail: detailSchema }),
  z.object({ type: z.literal("imageStored"), jobId: jobIdSchema, revision: revisionSchema.optional() }),
  z.object({ type: z.literal("jobStarted"), jobId: jobIdSchema, epoch: epochSchema }),
  z.object({ type: z.literal("jobHeld"), jobId: jobIdSchema, reason: detailSchema }),
  z.object({ type: z.literal("jobClosed"), jobId: jobIdSchema, outcome: outcomeRecordSchema.optional() }),
  z.object({ type: z.literal("jobUnknown"), jobId: jobIdSchema }),
  // sender -> host
  z.object({
    type: z.literal("imageOffered"),
    ticket: jobTicketSchema,
    epoch: epochSchema,
    sentBy: sourceSchema,
    /** Lowest open sequence number of the ticket's origin: everything below is final and may be forgotten. */
    lowestOpen: lowestOpenSchema.optional(),
    /** A job that has not begun after this time is not printed any more. */
    expiresInMs: z.int().min(0).optional(),
  }),
  z.object({ type: z.literal("outputAcknowledged"), jobId: jobIdSchema }),
  z.object({
    type: z.literal("outputCancelRequested"),
    ticket: jobTicketSchema,
    epoch: epochSchema,
    /** What the ledger is to say. */
    reason: detailSchema.optional(),
    /** Let it be when its first byte may have gone out. */
    unlessStarted: z.boolean().optional(),
  }),
  z.object({ type: z.literal("outcomesRequested"), jobIds: jobIdsSchema, lowestOpen: lowestOpenSchema.optional() }),
  z.object({
    type: z.literal("openJobsKnown"),
    /** Per origin (`client id-nonce`), what `openJobsListed` said last. */
    origins: z
      .array(z.object({ origin: z.string().regex(/^[a-z0-9]{8}-[a-z0-9]{6}$/), lowestOpen: lowestOpenSchema }))
      .max(limits.openJobsPerMessage),
  }),
  z.object({ type: z.literal("ledgerRequested"), afterSequence: z.int().min(-1) }),
  // host -> sender, server
  z.object({
    type: z.literal("imageWanted"),
    jobId: jobIdSchema,
    epoch: epochSchema,
    uploadId: z.string().max(64),
  }),
  z.object({ type: z.literal("offerWaiting"), jobId: jobIdSchema, epoch: epochSchema, ahead: z.int().min(0) }),
  /** The host has the whole image in memory; it waits for the printer. */
  z.object({ type: z.literal("imageReceived"), jobId: jobIdSchema, epoch: epochSchema, sentBy: sourceSchema }),
  z.object({
    type: z.literal("offerRefused"),
    jobId: jobIdSchema,
    epoch: epochSchema,
    code: codeSchema,
    detail: detailSchema,
  }),
  z.object({ type: z.literal("outputStarted"), jobId: jobIdSchema, epoch: epochSchema, sentBy: sourceSchema }),
  z.object({ type: z.literal("outputProgressed"), jobId: jobIdSchema, rowsDone: z.int().min(0) }),
  z.object({ type: z.literal("outputEnded"), record: outcomeRecordSchema }),
  z.object({ type: z.literal("outcomesUnknown"), jobIds: jobIdsSchema }),
  z.object({ type: z.literal("printerChanged"), attributes: printerAttributesSchema, state: printerStateSchema }),
  z.object({
    type: z.literal("ledgerListed"),
    hostIncarnation: incarnationSchema,
    records: z.array(outcomeRecordSchema).max(limits.ledgerRecordsPerMessage),
    /** Sequence number this list reaches to. */
    upTo: z.int().min(-1),
    complete: z.boolean(),
  }),
]);
export type Message = z.infer<typeof messageSchema>;
export type MessageOf<T extends Message["type"]> = Extract<Message, { type: T }>;
