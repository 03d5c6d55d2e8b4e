import * as z from "zod";

const countSchema = z.int().min(0);

/** Half of the values are at most the median, 95 of 100 at most the other. */
export const spreadSchema = z.object({ count: countSchema, medianMs: z.number().min(0), p95Ms: z.number().min(0) });
export type Spread = z.infer<typeof spreadSchema>;

/** What became of the jobs of one printer, client or source. */
export const statisticsGroupSchema = z.object({
  name: z.string(),
  jobs: countSchema,
  printed: countSchema,
  indeterminate: countSchema,
  canceled: countSchema,
  /** Of printed jobs; the paper without the feed before a cut. */
  pages: countSchema,
  paperMm: countSchema,
  /** Which spool was chosen, and which one sent. */
  chosen: z.object({ client: countSchema, server: countSchema, auto: countSchema }),
  sentBy: z.object({ client: countSchema, server: countSchema }),
  /** Jobs that the other spool than the chosen one sent, by who did. */
  takenOver: z.object({ byClient: countSchema, byServer: countSchema }),
  /** Printed jobs whose end the printer did not report. */
  unproved: countSchema,
  /**
   * From the request to the first dot, both by the server's clock, of printed jobs that no person held; absent when no
   * job was measured. A job that a client printed while the server was away has no such time.
   */
  wait: spreadSchema.optional(),
  waitWhenSentBy: z.object({ client: spreadSchema.optional(), server: spreadSchema.optional() }),
  /** From the first dot to the known end, both by the printer host's clock. */
  print: spreadSchema.optional(),
  /** Jobs of each hour of the day, in the time zone of the server. */
  hours: z.array(countSchema).length(24),
});
export type StatisticsGroup = z.infer<typeof statisticsGroupSchema>;

export const statisticsAnswerSchema = z.object({
  total: statisticsGroupSchema,
  printers: z.array(statisticsGroupSchema),
  clients: z.array(statisticsGroupSchema),
  /** By the spool that was chosen. */
  sources: z.array(statisticsGroupSchema),
  /** What may be done better, as sentences; the weightiest first. */
  advice: z.array(z.string()),
});
export type StatisticsAnswer = z.infer<typeof statisticsAnswerSchema>;
