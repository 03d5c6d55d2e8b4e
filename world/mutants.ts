import type { Patch } from "./bundle.ts";

/** A rule of the protocol, taken away: the checkers must notice, or the rule is not worth its lines. */
export interface Mutant {
  readonly name: string;
  /** The rule, in words. */
  readonly rule: string;
  readonly patches: readonly Patch[];
  /** A seed that was seen to catch it: tried first. Absent where the design says that safety does not rest on it. */
  readonly seed?: number;
}

const hostMachine = "src/devices/host/host-machine.ts";
const hostLedger = "src/devices/host/host-ledger.ts";
const hostState = "src/devices/host/host-state.ts";
const clientNode = "world/client-node.ts";
const serverNode = "world/server-node.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "no-intent",
    rule: "INTENT is durable before the first byte",
    patches: [
      {
        file: hostMachine,
        find: "      this.#persist(image.intent);",
        replace: "      this.#ledger.put(image.intent);",
      },
    ],
    seed: 106,
  },
  {
    name: "end-not-durable",
    rule: "the end of output is durable before anyone hears of it",
    patches: [
      {
        file: hostMachine,
        find: '    this.#persist(record);\n    this.#effects.push({ kind: "dropImage"',
        replace: '    this.#ledger.put(record);\n    this.#effects.push({ kind: "dropImage"',
      },
    ],
    seed: 1,
  },
  {
    name: "end-told-first",
    rule: "the end of output is told only after it is durable",
    patches: [
      {
        file: hostMachine,
        find: '    this.#persist(record);\n    this.#effects.push({ kind: "dropImage"',
        replace:
          '    this.#ledger.put(record);\n    this.#announceAll(record);\n    this.#persist(record);\n    this.#effects.push({ kind: "dropImage"',
      },
    ],
    seed: 1,
  },
  {
    name: "cancel-not-durable",
    rule: "a cancel is durable in the ledger before anyone hears of it",
    patches: [
      {
        file: hostMachine,
        find: "    this.#persist(record);\n    this.#note(",
        replace: "    this.#ledger.put(record);\n    this.#note(",
      },
    ],
    seed: 2,
  },
  {
    name: "ledger-not-asked",
    rule: "an offer of a job that the ledger knows is answered from the ledger",
    patches: [
      {
        file: hostMachine,
        find: "    if (this.#answerKnown(from, ticket, epoch)) return;\n    const refusal",
        replace: "    const refusal",
      },
    ],
    seed: 5,
  },
  {
    name: "digest-not-checked",
    rule: "the host prints only bytes with the digest of the ticket",
    patches: [
      { file: hostState, find: '  if (seen.sha256 !== ticket.sha256) return "image-wrong-digest";\n', replace: "" },
    ],
    seed: 1,
  },
  {
    name: "incarnation-ignored",
    rule: "a job made for an older ledger is never printed silently",
    patches: [
      {
        file: hostState,
        find: '  if (ticket.hostIncarnation !== config.hostIncarnation) return "ledger-other";\n',
        replace: "",
      },
      {
        file: "src/server/admission.ts",
        find: '  if (printer.hostIncarnation !== ticket.hostIncarnation) return { code: "ledger-other", detail: "" };\n',
        replace: "",
      },
    ],
    seed: 136,
  },
  {
    name: "older-cancel-certain",
    rule: "what an older ledger decided is not called canceled",
    patches: [
      {
        file: hostMachine,
        find: "    const older = ticket.hostIncarnation !== this.#config.hostIncarnation;",
        replace: "    const older = false;",
      },
    ],
    seed: 41,
  },
  {
    name: "intent-forgotten",
    rule: "after a restart an INTENT counts as begun: no second output",
    patches: [
      {
        file: hostLedger,
        find: "      else this.#jobs.set(record.jobId, record);",
        replace: '      else if (record.state !== "intent") this.#jobs.set(record.jobId, record);',
      },
    ],
    seed: 106,
  },
  {
    name: "evidence-assumed",
    rule: "without evidence an interrupted output is INDETERMINATE",
    patches: [
      {
        file: hostMachine,
        find: '    if (input.evidence !== undefined) return this.#finish(intent, { state: "printed", evidence: input.evidence });',
        replace: '    if (intent !== undefined) return this.#finish(intent, { state: "printed", evidence: "none" });',
      },
    ],
    seed: 106,
  },
  {
    name: "process-ids-shared",
    rule: "no two ledgers share process IDs",
    patches: [
      {
        file: hostState,
        find: "    let rest = (start + value) % processIdAlphabetSize ** 4;",
        replace: "    let rest = value % processIdAlphabetSize ** 4;",
      },
    ],
  },
  {
    name: "print-while-unsettled",
    rule: "nothing is printed before interrupted outputs are settled (keeps the evidence: safety does not rest on it)",
    patches: [{ file: hostMachine, find: "    if (!this.#unsettled.isEmpty) return;\n", replace: "" }],
  },
  {
    name: "pruned-accepted",
    rule: "ids that the ledger has forgotten are refused for ever",
    patches: [
      {
        file: hostLedger,
        find: "    return id.sequence < (this.#horizons.get(originKey(id)) ?? 0);",
        replace: "    return id.sequence < 0;",
      },
    ],
  },
  {
    name: "open-jobs-pruned",
    rule: "the ledger forgets only what its client has closed",
    patches: [
      {
        file: "src/client/client-core.ts",
        find: "      if (!recorded && id.nonce === this.config.nonce) lowest = Math.min(lowest, id.sequence);",
        replace: "      if (recorded && id.nonce === this.config.nonce) lowest = Math.min(lowest, id.sequence);",
      },
    ],
    seed: 60,
  },
  {
    name: "ids-not-reserved",
    rule: "a job id is durable before its first use",
    patches: [
      {
        file: "src/client/client-machine.ts",
        find: "  if (reserve !== undefined) {\n    core.persist(",
        replace: "  if (reserve === -1) {\n    core.persist(",
      },
    ],
    seed: 19,
  },
  {
    name: "erase-overtaken",
    rule: "a file whose erase is still to be carried out counts as gone",
    patches: [
      {
        file: serverNode,
        find: '      if (this.isQueued((effect) => effect.kind === "eraseImage" && effect.jobId === jobId)) return answered("failed");\n',
        replace: "",
      },
    ],
  },
  {
    name: "client-image-not-durable",
    rule: "the image is durable in the client's spool before the job is",
    patches: [
      {
        file: clientNode,
        find: "      const store = user.plan.noSpool ? this.#volatile : this.spool.images;",
        replace: "      const store = this.#volatile;",
      },
    ],
    seed: 1,
  },
  {
    name: "upload-answered-first",
    rule: "the server says imageStored only when its copy is durable",
    patches: [
      {
        file: serverNode,
        find: '      if (this.diskFull) return answered("failed");\n    }',
        replace:
          '      if (this.diskFull) return answered("failed");\n    }\n    this.dispatch({ kind: "imageStored", jobId });',
      },
      {
        file: serverNode,
        find: '      this.dispatch({ kind: "imageStored", jobId });\n      answered',
        replace: "      answered",
      },
    ],
    seed: 6,
  },
  {
    name: "accepted-without-copy",
    rule: "the user hears yes only when a copy is durable",
    patches: [
      {
        file: "src/client/server-messages.ts",
        find: '  if (job.row.image === "stored" || job.row.serverHasImage) acceptJob(core, job);',
        replace: "  acceptJob(core, job);",
      },
    ],
    seed: 2,
  },
  {
    name: "client-erases-early",
    rule: "the client erases only after jobClosed",
    patches: [
      {
        file: "src/client/outcomes.ts",
        find: '    core.sendToServer({ type: "jobEnded", ticket: job.row.ticket, outcome: record });',
        replace:
          '    core.sendToServer({ type: "jobEnded", ticket: job.row.ticket, outcome: record });\n    eraseJob(core, job);',
      },
    ],
    seed: 4,
  },
  {
    name: "history-not-durable",
    rule: "the history row is in the transaction that takes the job out of the queue",
    patches: [
      {
        file: "src/server/outcomes.ts",
        find: '    writes.push({ op: "put", table: serverTables.history, key: jobId, value: history });\n',
        replace: "",
      },
    ],
    seed: 1,
  },
  {
    name: "cursor-before-rows",
    rule: "how far the history follows the ledger is written after the rows (both are in one commit as a rule)",
    patches: [
      {
        file: "src/server/printer-hosts.ts",
        find: "  for (const record of message.records) endJob(",
        replace:
          "  printer.row = { ...printer.row, cursor: { hostIncarnation: message.hostIncarnation, sequence: message.upTo } };\n" +
          '  core.persist([{ op: "put", table: serverTables.printers, key: name, value: printer.row }]);\n' +
          "  for (const record of message.records) endJob(",
      },
    ],
  },
  {
    name: "cancel-without-host",
    rule: "only the host can say that a job will never print",
    patches: [
      {
        file: "src/server/resolutions.ts",
        find: "  core.wait(job, 0);\n  cancelAtHost(core, job);",
        replace: "  closeJob(core, job, undefined);",
      },
    ],
    seed: 2,
  },
  {
    name: "server-copy-unconfirmed",
    rule: "the server gives its copy up only when the client keeps one under these very settings",
    patches: [
      {
        file: "src/server/job-changes.ts",
        find: " || !clientKeepsImage || clientRevision !== revision) return;",
        replace: " || !clientKeepsImage || clientRevision > revision) return;",
      },
    ],
    seed: 6,
  },
  {
    name: "client-copy-unconfirmed",
    rule: "the client gives its copy up only when the server has one under these very settings",
    patches: [
      {
        file: "src/client/job-changes.ts",
        find: '  if (settings.spools !== "server" || revision !== settings.revision) return;',
        replace: '  if (settings.spools !== "server" || revision === -1) return;',
      },
    ],
    seed: 6,
  },
  {
    name: "conflict-ignored",
    rule: "one job id never stands for two images (no client makes such a job: refused when one is broken)",
    patches: [
      {
        file: hostMachine,
        find: '    return ticketRefusal(ticket, this.#config) ?? (this.#hasOtherImage(ticket) ? "job-conflict" : undefined);',
        replace: "    return ticketRefusal(ticket, this.#config);",
      },
    ],
  },
  {
    name: "rotten-duplicate",
    rule: "a marked duplicate is made of a verified image only",
    patches: [
      {
        file: serverNode,
        find: "      const damaged = this.spool.quarantineUnless(jobId, ticket.sha256);",
        replace:
          '      const damaged = false;\n      if (this.spool.images.get(jobId) !== ticket.sha256) world.checker.made(newJobId, "rotten");',
      },
    ],
    seed: 2161,
  },
  {
    name: "epoch-not-durable",
    rule: "an order's epoch is durable before it leaves (orders only: safety does not rest on it)",
    patches: [
      {
        file: "src/server/orders.ts",
        find: "  core.save(job, { epoch: job.row.epoch + 1 });\n  const deadlineMs",
        replace: "  job.row = { ...job.row, epoch: job.row.epoch + 1 };\n  const deadlineMs",
      },
    ],
  },
  {
    name: "ledger-not-read-first",
    rule: "nothing is scheduled before the ledger is read (saves offers: safety does not rest on it)",
    patches: [
      {
        file: "src/server/orders.ts",
        find: "  if (printer === undefined || (printer.linked && !printer.reconciled)) return;",
        replace: "  if (printer === undefined) return;",
      },
    ],
  },
  {
    name: "file-before-row",
    rule: "the row goes before the image",
    patches: [
      {
        file: "src/client/outcomes.ts",
        find: '  core.persist([{ op: "delete", table: clientTables.jobs, key: jobId }]);\n  core.emit({ kind: "eraseImage", jobId });',
        replace:
          '  core.emit({ kind: "eraseImage", jobId });\n  core.persist([{ op: "delete", table: clientTables.jobs, key: jobId }]);',
      },
    ],
    seed: 5,
  },
  {
    name: "takeover-at-once",
    rule: "the server waits before it takes over (time-outs decide speed: safety does not rest on them)",
    patches: [
      {
        file: "src/server/orders.ts",
        find: "      if (phase.deadlineMs <= nowMs) return takeOver(core, job);\n      if (phase.retry.atMs",
        replace: "      if (phase.retry.delayMs > 0) return takeOver(core, job);\n      if (phase.retry.atMs",
      },
    ],
  },
];
