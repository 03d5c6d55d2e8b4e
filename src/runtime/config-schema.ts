import * as z from "zod";
import { printerNameSchema } from "../protocol/ids.ts";
import {
  errorPolicySchema,
  indeterminatePolicySchema,
  type SourceChoice,
  type Spools,
  sourceChoiceSchema,
  spoolsSchema,
} from "../protocol/job.ts";
import { sourceFitsSpools } from "../protocol/job-settings.ts";
import { defaultTimers, limits, type Timers } from "../protocol/limits.ts";
import { durationMsOf } from "./duration.ts";

/*
 * The messages of this schema are what is allowed at that key, as a noun: the loader puts them after "allowed:".
 */

function wholeNumber(min: number, max: number, unit = "") {
  const error = `a whole number from ${min} to ${max}${unit}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function words<const Word extends string>(values: readonly Word[]) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

function text(minChars: number, maxChars: number) {
  const error = `a text of ${minChars} to ${maxChars} characters`;
  return z.string({ error }).min(minChars, { error }).max(maxChars, { error });
}

function yesOrNo() {
  return z.boolean({ error: "true or false" });
}

function webAddress() {
  const error = "an address such as http://192.168.0.5:6310";
  return z.url({ protocol: /^https?$/, error }).max(200, { error });
}

function printerName() {
  const error = "1 to 63 characters of A-Z, a-z, 0-9, dot, dash, underscore, the first a letter or digit";
  return z.string({ error }).refine((value) => printerNameSchema.safeParse(value).success, { error });
}

/** A section: may be left out whole, refuses keys it does not know. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: keepUnknownKeys("a section with keys") });
}

/** Issues about unknown keys carry the keys themselves; every other complaint of an object is its type. */
function keepUnknownKeys(allowed: string) {
  return (issue: { readonly code?: string | undefined }) => (issue.code === "unrecognized_keys" ? undefined : allowed);
}

const port = () => wholeNumber(0, 65_535, " (0: any free port)");
const dayMs = 24 * 60 * 60 * 1000;

type TimerShape = { readonly [K in keyof Timers]: z.ZodDefault<ReturnType<typeof wholeNumber>> };
const timerDescriptions: { readonly [K in keyof Timers]: string } = {
  retryFirstMs: "first pause before an unanswered message is repeated, or a peer that is away is dialed again",
  retryLastMs: "longest pause between repetitions",
  serverSilentMs: "a server silent for so long is taken for dead: the client prints by itself",
  startTimeoutMs: "a client that was told to print and has not begun by then is taken over by the server",
  imageTransferTimeoutMs: "silence after which a half received image is forgotten",
  evidenceTimeoutMs: "how long a restarted host looks for the printer's late answer",
  statusIntervalMs: "how often open jobs are compared while the link is up",
};
const timerShape = Object.fromEntries(
  (Object.keys(defaultTimers) as (keyof Timers)[]).map((name) => [
    name,
    wholeNumber(1, dayMs, " milliseconds").default(defaultTimers[name]).describe(timerDescriptions[name]),
  ]),
) as unknown as TimerShape;

export const printerConfigSchema = section({
  name: printerName().describe("name of the printer, as jobs call it"),
  uri: text(1, 500)
    .regex(/^[a-z][a-z0-9+.-]*:/, { error: "a device URI such as socket://192.168.0.9:9100" })
    .describe("where the printer is: socket://host:9100, sim: (simulated, in process) or file:/path"),
  model: text(1, limits.nameChars).optional().describe("model, when it cannot be probed"),
  indeterminate: words(indeterminatePolicySchema.options)
    .default("hold")
    .describe("what becomes of a job of which nobody can know whether it was printed"),
  errorPolicy: words(errorPolicySchema.options)
    .default("retry-job")
    .describe("what follows an attempt that failed before any byte was printed, see docs/queue.md"),
  from: words(sourceChoiceSchema.options)
    .optional()
    .describe("spool that jobs of this printer come from, where neither person, rule nor client says otherwise"),
  spool: words(spoolsSchema.options).optional().describe("spools that keep their images, in the same way"),
}).superRefine(fittingSpools);
export type PrinterConfig = z.output<typeof printerConfigSchema>;

/** Patterns of `*` and `?`; all that are there must fit. */
export const ruleConditionSchema = section({
  title: text(1, limits.titleChars).optional().describe("title of the job, such as *.pdf"),
  client: text(1, limits.nameChars).optional().describe("name of the client, such as till-*"),
  printer: text(1, limits.nameChars).optional().describe("name of the printer"),
  mediaType: text(1, limits.nameChars).optional().describe("type of the document, such as image/*"),
  minBytes: wholeNumber(0, limits.imageBytes).optional().describe("the print image has at least so many bytes"),
  maxBytes: wholeNumber(0, limits.imageBytes).optional().describe("the print image has at most so many bytes"),
});

export const ruleConfigSchema = section({
  when: ruleConditionSchema.prefault({}).describe("what a job must be like; without it every job"),
  from: words(sourceChoiceSchema.options).optional().describe("client, server or auto"),
  spool: words(spoolsSchema.options)
    .optional()
    .describe("both, client or server; at the server, client means: keep no copy where the client keeps one"),
  priority: wholeNumber(1, 100).optional().describe("100 goes first"),
  expires: z
    .string({ error: "a duration such as 90s, 15m, 2h or 3d" })
    .refine((value) => durationMsOf(value) !== undefined, { error: "a duration such as 90s, 15m, 2h or 3d" })
    .optional()
    .describe("canceled when it has not begun by then, such as 2h"),
}).superRefine(fittingSpools);
export type JobRule = z.output<typeof ruleConfigSchema>;

const rulesAtMost = 100;
const rules = z
  .array(ruleConfigSchema, { error: "a list of rules, each with when and what follows" })
  .max(rulesAtMost, { error: `at most ${rulesAtMost} rules` });

function fittingSpools(
  { from, spool }: { readonly from?: SourceChoice | undefined; readonly spool?: Spools | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (from === undefined || spool === undefined || sourceFitsSpools({ source: from, spools: spool })) return;
  context.addIssue({ code: "custom", path: ["from"], message: `${spool}, or auto, while spool is ${spool}` });
}

const printers = z
  .array(printerConfigSchema, { error: "a list of printers, each with name and uri" })
  .max(limits.printersPerServer, { error: `at most ${limits.printersPerServer} printers` })
  .superRefine((list, context) => {
    for (const [index, printer] of list.entries()) {
      if (list.findIndex((other) => other.name === printer.name) === index) continue;
      context.addIssue({ code: "custom", path: [index, "name"], message: "a name that no other printer has" });
    }
  });

/** The one schema of the configuration, for all roles. `name` and `data` have defaults of the machine (loader). */
export const configSchema = section({
  name: text(1, limits.nameChars).describe("display name of this client or server; default: the name of the machine"),
  data: text(1, 4096).describe("folder of spool, database and ledger; default: the platform's place for state"),
  server: webAddress().default("http://127.0.0.1:6310").describe("where clients find the server"),
  listen: section({
    address: text(1, 255).default("127.0.0.1").describe("address to listen on; beyond this machine needs key"),
    port: port().default(6310).describe("port of the server"),
  }).prefault({}),
  host: section({
    port: port().default(6311).describe("port of the printer host"),
    url: webAddress().optional().describe("how clients reach the printer host, when not at its own address"),
    ledgerRecords: wholeNumber(16, 16_384)
      .default(1024)
      .describe("records in a printer's outcome ledger, 4 KiB of disk each"),
  }).prefault({}),
  clientPort: port().default(0).describe("port of the client process on this machine; 0: any"),
  key: z
    .string({ error: "a secret of 16 to 256 printable ASCII characters without spaces" })
    .regex(/^[\x21-\x7e]{16,256}$/, { error: "a secret of 16 to 256 printable ASCII characters without spaces" })
    .optional()
    .describe("shared secret of all processes; needed to listen beyond this machine"),
  printers: printers.default([]).describe("printers of this host"),
  defaultPrinter: printerName().optional().describe("printer of jobs that name none"),
  from: words(sourceChoiceSchema.options)
    .optional()
    .describe(
      "spool from which the image goes to the printer; auto leaves it to the server when the turn comes; default: the printer's, else client",
    ),
  spool: words(spoolsSchema.options)
    .optional()
    .describe("spools that keep the image; default: the printer's, else both"),
  rules: rules.default([]).describe("what jobs use of which the person said nothing; the first that fits"),
  language: words(["ja", "en"])
    .optional()
    .describe("language of what is printed for people, such as the history; default: that of LANG"),
  visibility: words(["all", "own"])
    .default("all")
    .describe("whose jobs and history a client may see and change at this server: all, or only its own"),
  timers: section(timerShape).prefault({}).describe("timers of the protocol, milliseconds; they decide only speed"),
  retention: section({
    historyDays: wholeNumber(1, 36_500).default(90).describe("days that finished jobs stay in the history"),
    keepEndedMinutes: wholeNumber(0, 525_600)
      .default(0)
      .describe("minutes that images of finished jobs are kept; 0: erased at once"),
  }).prefault({}),
  documentBytes: wholeNumber(1024, limits.documentBytesAtMost)
    .default(limits.documentBytes)
    .describe("most bytes of a document that this client takes; its print image has a limit of its own"),
  spoolQuotaBytes: wholeNumber(limits.imageBytes, 2 ** 50)
    .default(2 ** 30)
    .describe("most bytes that this spool may take"),
  capacity: section({
    nearFullPercent: wholeNumber(1, 100)
      .default(80)
      .describe("used part of quota or disk from which this spool keeps no image that the other one keeps"),
    fullPercent: wholeNumber(1, 100).default(90).describe("used part from which this spool takes nothing more"),
    reserveBytes: wholeNumber(0, 2 ** 50)
      .default(64 * 2 ** 20)
      .describe("disk space that stays free for the databases, whatever the percentages say"),
    clientSharePercent: wholeNumber(1, 100)
      .default(20)
      .describe("most of the server's quota that the images of one client may take"),
    largestJobBytes: wholeNumber(1, limits.imageBytes)
      .default(limits.imageBytes)
      .describe("largest print image that is accepted"),
  })
    .superRefine(({ nearFullPercent, fullPercent }, context) => {
      if (nearFullPercent <= fullPercent) return;
      const message = "at most capacity.fullPercent";
      context.addIssue({ code: "custom", path: ["nearFullPercent"], message });
    })
    .prefault({}),
  network: section({
    interface: text(1, 64).optional().describe("interface to measure; default: all but loopback, the fullest counts"),
    capacityMbit: wholeNumber(1, 1_000_000)
      .optional()
      .describe(
        "what it can carry, Mbit/s; default: what the interface says, which those by radio and in virtual machines do not",
      ),
    loadedPercent: wholeNumber(11, 100)
      .default(70)
      .describe("load from which the server's copy is left out where the client's exists, until 10 points below"),
    off: yesOrNo().default(false).describe("do not measure the load"),
  }).prefault({}),
  log: section({
    level: words(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info").describe("log level"),
    file: text(1, 4096).optional().describe("file of the log; default: standard error"),
  }).prefault({}),
});
export type Config = z.output<typeof configSchema>;

export interface ConfigKey {
  /** Path in the file, such as listen.port. */
  readonly path: string;
  /** Environment variable, such as TWINSPOOL_LISTEN_PORT. */
  readonly env: string;
  /** How a text from the environment or the command line becomes a value. */
  readonly kind: "text" | "number" | "boolean" | "json";
  readonly description: string;
  /** The default, or undefined when there is none or the machine decides. */
  readonly default: unknown;
}

/** Every key of the configuration, read off the schema: environment variables and the manual follow from it. */
export function configKeys(): readonly ConfigKey[] {
  return keysOf(configSchema, []);
}

function keysOf(schema: z.core.$ZodType, path: readonly string[]): ConfigKey[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries<z.core.$ZodType>(inner.shape).flatMap(([name, value]) => keysOf(value, [...path, name]));
  }
  return [
    {
      path: path.join("."),
      env: environmentName(path),
      kind: kindOf(inner),
      description: schema instanceof z.ZodType ? (schema.description ?? "") : "",
      default: schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined,
    },
  ];
}

/** listen.port → TWINSPOOL_LISTEN_PORT, spoolQuotaBytes → TWINSPOOL_SPOOL_QUOTA_BYTES. */
function environmentName(path: readonly string[]): string {
  return ["twinspool", ...path].map((part) => part.replace(/[A-Z]/g, "_$&").toUpperCase()).join("_");
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
    inner = inner.def.innerType;
  }
  return inner;
}

function kindOf(schema: z.core.$ZodType): ConfigKey["kind"] {
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  return schema instanceof z.ZodArray ? "json" : "text";
}
