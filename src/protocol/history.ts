import * as z from "zod";
import { type HistoryRow, historyRowSchema, outcomeSchema, sourceChoiceSchema, sourceSchema } from "./job.ts";

/** Which rows of the history are wanted; nothing named means all of them. */
export interface HistoryFilter {
  readonly printer?: string;
  readonly client?: string;
  /** As it was chosen, and as it was used. */
  readonly source?: z.infer<typeof sourceChoiceSchema>;
  readonly sentBy?: z.infer<typeof sourceSchema>;
  readonly outcome?: z.infer<typeof outcomeSchema>;
  /** When the server wrote the row, by its own clock: from this moment, and before that one. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** In the title; A-Z are like a-z. */
  readonly text?: string;
  /** How the job id begins. */
  readonly job?: string;
}

export interface HistoryQuery extends HistoryFilter {
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: string;
}

/** The query of `GET /api/history`, as it stands in the URL. */
export const historyQuerySchema = z.strictObject({
  printer: z.string().max(64).optional(),
  client: z.string().max(64).optional(),
  source: sourceChoiceSchema.optional(),
  sentBy: sourceSchema.optional(),
  outcome: outcomeSchema.optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  text: z.string().min(1).max(200).optional(),
  job: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "the beginning of a job id")
    .optional(),
  limit: z.string().optional(),
  before: z.string().max(200).optional(),
});

export const historyRowsPerPage = { default: 100, most: 1_000 } as const;

export const historyAnswerSchema = z.object({
  rows: z.array(historyRowSchema),
  /** Where the next page begins; absent on the last. */
  next: z.string().optional(),
  /** The server is away: this is what a client has seen, so long ago by its own clock. */
  seenMsAgo: z.int().min(0).optional(),
});
export type HistoryAnswer = z.infer<typeof historyAnswerSchema>;

/** Length of the image on paper, without the feed before a cut; undefined when the resolution is not known. */
export function paperMmOf({ heightDots, resolutionDpi }: HistoryRow): number | undefined {
  return resolutionDpi === undefined ? undefined : Math.round((heightDots * 25.4) / resolutionDpi);
}

/** Who sent the image although the other spool was chosen; undefined when it went as it was chosen. */
export function takenOverBy({ source, outcome }: HistoryRow): "client" | "server" | undefined {
  const { sentBy } = outcome;
  return source === undefined || source === "auto" || source === sentBy ? undefined : sentBy;
}
