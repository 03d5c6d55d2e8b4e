import type { Rule, Specification } from "./explore.ts";
import { nothingYet, type PrintState } from "./print-state.ts";

export interface PrintBounds {
  readonly clientFaults: number;
  readonly serverFaults: number;
  readonly hostFaults: number;
  /** 1: client or server may never return. */
  readonly departures: number;
}

const isFinal = (ledger: number): boolean => ledger >= 2;

const clientRules: readonly Rule<PrintState>[] = [
  {
    name: "client stores the image",
    when: (s) => s.submitted === 0 && s.image === 0,
    apply: (s) => {
      s.image = 2;
    },
  },
  {
    name: "client keeps the image in memory alone",
    when: (s) => s.submitted === 0 && s.image === 0,
    apply: (s) => {
      s.image = 1;
    },
  },
  {
    name: "client writes the row",
    when: (s) => s.submitted === 0 && s.image > 0,
    apply: (s) => {
      s.row = 1;
      s.submitted = 1;
    },
  },
  {
    name: "client commits",
    when: (s) => s.row !== s.rowDisk,
    apply: (s) => {
      s.rowDisk = s.row;
    },
  },
  {
    name: "client requests the job",
    when: (s) => s.requested === 0 && s.row === 1 && s.rowDisk === 1,
    apply: (s) => {
      s.requested = 1;
    },
  },
  {
    name: "client accepts on its own copy",
    when: (s) => s.accepted === 0 && s.row === 1 && s.image !== 1,
    guards: { "image durable": (s) => s.image === 2, "row durable": (s) => s.rowDisk === 1 },
    apply: (s) => {
      s.accepted = 1;
    },
  },
  {
    name: "client accepts on the server's copy",
    when: (s) => s.accepted === 0 && s.row === 1 && s.rowDisk === 1 && s.image < 2,
    guards: { "the server said that it is stored": (s) => s.stored === 1 },
    apply: (s) => {
      s.accepted = 1;
      s.image = 0;
    },
  },
  {
    name: "client offers",
    when: (s) => s.offered === 0 && s.row === 1 && s.rowDisk === 1 && s.image > 0,
    apply: (s) => {
      s.offered = 1;
    },
  },
  {
    name: "client takes back what nobody accepted",
    when: (s) =>
      s.row === 1 && s.rowDisk === 1 && s.image === 0 && s.accepted === 0 && s.stored === 0 && s.cancel === 0,
    apply: (s) => {
      s.cancel = 1;
    },
  },
  {
    name: "user cancels",
    when: (s) => s.cancel === 0 && s.row === 1 && s.rowDisk === 1,
    apply: (s) => {
      s.cancel = 1;
    },
  },
  {
    name: "client hears the end",
    when: (s) => s.row === 1 && s.rowDisk === 1 && isFinal(s.ledger),
    guards: { "the final record is durable": (s) => s.ledgerDisk === s.ledger },
    apply: (s) => {
      s.row = 2;
      s.heard = s.ledger;
    },
  },
  {
    name: "client tells the end",
    when: (s) => s.ended === 0 && s.row === 2 && s.rowDisk === 2,
    apply: (s) => {
      s.ended = 1;
    },
  },
  {
    name: "client closes",
    when: (s) => (s.row === 1 || s.row === 2) && s.submitted === 1,
    guards: { "the server said that it is closed": (s) => s.closed === 1 },
    apply: (s) => {
      s.row = 3;
    },
  },
  {
    name: "client erases its image",
    when: (s) => s.image > 0 && s.row === 3 && s.rowDisk === 3,
    apply: (s) => {
      s.image = 0;
    },
  },
];

const serverRules: readonly Rule<PrintState>[] = [
  {
    name: "server adds the job",
    when: (s) => s.requested === 1 && s.job === 0,
    apply: (s) => {
      s.job = 1;
    },
  },
  {
    name: "server commits",
    when: (s) => s.job !== s.jobDisk || s.history !== s.historyDisk,
    apply: (s) => {
      s.jobDisk = s.job;
      s.historyDisk = s.history;
    },
  },
  {
    name: "server acknowledges the request",
    when: (s) => s.acknowledged === 0 && s.job === 1 && s.jobDisk === 1,
    apply: (s) => {
      s.acknowledged = 1;
    },
  },
  {
    name: "server receives the image",
    when: (s) => s.job === 1 && s.copy === 0 && s.acknowledged === 1 && s.image > 0 && s.clientGone === 0,
    apply: (s) => {
      s.copy = 1;
    },
  },
  {
    name: "server stores the image",
    when: (s) => s.copy === 1,
    apply: (s) => {
      s.copy = 2;
    },
  },
  {
    name: "server says that it is stored",
    when: (s) => s.stored === 0 && s.job === 1 && s.jobDisk === 1 && s.copy > 0,
    guards: { "image durable": (s) => s.copy === 2 },
    apply: (s) => {
      s.stored = 1;
    },
  },
  {
    name: "server offers",
    when: (s) => s.offered === 0 && s.job === 1 && s.copy === 2,
    apply: (s) => {
      s.offered = 1;
    },
  },
  {
    name: "server records the history",
    when: (s) => isFinal(s.ledger) && s.job < 2,
    guards: { "the final record is durable": (s) => s.ledgerDisk === s.ledger },
    apply: (s) => {
      s.job = 2;
      s.history = s.ledger;
    },
  },
  {
    name: "server says that it is closed",
    when: (s) => s.closed === 0 && s.job === 2,
    guards: { "history durable": (s) => s.jobDisk === 2 },
    apply: (s) => {
      s.closed = 1;
    },
  },
  {
    name: "server erases its image",
    when: (s) => s.copy > 0 && s.job === 2,
    apply: (s) => {
      s.copy = 0;
    },
  },
];

const hostRules: readonly Rule<PrintState>[] = [
  {
    name: "host receives the image",
    when: (s) => s.offered === 1 && s.loaded === 0 && s.output === 0 && s.ledger !== 1,
    guards: { "the ledger has no record": (s) => s.ledger === 0, "the id is not pruned": (s) => s.pruned === 0 },
    apply: (s) => {
      s.loaded = 1;
    },
  },
  {
    name: "host writes INTENT",
    when: (s) => s.loaded === 1 && s.ledger !== 1,
    apply: (s) => {
      s.ledger = 1;
    },
  },
  {
    name: "host commits",
    when: (s) => s.ledger !== s.ledgerDisk,
    apply: (s) => {
      s.ledgerDisk = s.ledger;
    },
  },
  {
    name: "host starts the output",
    when: (s) => s.loaded === 1 && s.output === 0 && s.ledger === 1,
    guards: { "INTENT is durable before the first byte": (s) => s.ledgerDisk === 1 },
    apply: (s) => {
      s.output = 1;
    },
  },
  {
    name: "printer has taken no byte",
    when: (s) => s.output === 1,
    apply: (s) => {
      s.output = 0;
    },
  },
  {
    name: "printer prints",
    when: (s) => s.output === 1,
    apply: (s) => {
      s.output = 2;
      s.paper = Math.min(2, s.paper + 1);
    },
  },
  {
    name: "printer loses power before the end",
    when: (s) => s.output === 1,
    apply: (s) => {
      s.output = 3;
    },
  },
  {
    name: "printer loses power after the end",
    when: (s) => s.output === 1,
    apply: (s) => {
      s.output = 3;
      s.paper = Math.min(2, s.paper + 1);
    },
  },
  {
    name: "host records PRINTED",
    when: (s) => s.ledger === 1 && s.loaded === 1 && s.output > 0 && s.output < 3,
    guards: { "the printer said so": (s) => s.output === 2 },
    apply: (s) => {
      s.ledger = 2;
      s.loaded = 0;
      s.output = 0;
    },
  },
  {
    name: "host records INDETERMINATE",
    when: (s) => s.ledger === 1 && s.output === 3,
    apply: (s) => {
      s.ledger = 3;
      s.loaded = 0;
      s.output = 0;
    },
  },
  {
    name: "host settles with evidence",
    when: (s) => s.ledger === 1 && s.loaded === 0 && s.output === 0,
    guards: { "the printer kept its answer": (s) => s.paper > 0 },
    apply: (s) => {
      s.ledger = 2;
    },
  },
  {
    name: "host settles without evidence",
    when: (s) => s.ledger === 1 && s.loaded === 0 && s.output === 0,
    apply: (s) => {
      s.ledger = 3;
    },
  },
  {
    name: "host records CANCELED",
    when: (s) => s.cancel === 1 && s.ledger !== 4,
    guards: {
      "nothing is decided and no byte has gone out": (s) =>
        s.ledger === 0 || (s.ledger === 1 && s.loaded === 1 && s.output === 0),
      "the id is not pruned": (s) => s.pruned === 0,
    },
    apply: (s) => {
      s.ledger = 4;
      s.loaded = 0;
    },
  },
  {
    name: "host confirms the cancel",
    when: (s) => s.canceled === 0 && s.ledger === 4,
    guards: { "CANCELED is durable": (s) => s.ledgerDisk === 4 },
    apply: (s) => {
      s.canceled = 1;
    },
  },
  {
    name: "host forgets the job",
    when: (s) => isFinal(s.ledgerDisk) && s.ledger === s.ledgerDisk && s.loaded === 0,
    guards: {
      "its client has closed it, or knows it to be in the history": (s) =>
        s.rowDisk === 3 || (s.rowDisk === 2 && s.historyDisk > 0),
    },
    apply: (s) => {
      s.ledger = 0;
      s.ledgerDisk = 0;
      s.pruned = 1;
    },
  },
];

const faults: readonly Rule<PrintState>[] = [
  {
    name: "client loses power",
    when: (s) => s.clientFaults > 0 && s.clientGone === 0 && s.submitted === 1,
    apply: (s) => {
      s.clientFaults -= 1;
      s.row = s.rowDisk;
      if (s.image === 1 || s.rowDisk === 0) s.image = 0;
    },
  },
  {
    name: "server loses power",
    when: (s) => s.serverFaults > 0 && s.serverGone === 0,
    apply: (s) => {
      s.serverFaults -= 1;
      s.job = s.jobDisk;
      s.history = s.historyDisk;
      if (s.copy === 1 || s.jobDisk === 0) s.copy = 0;
    },
  },
  ...([0, 1] as const).map(
    (copies): Rule<PrintState> => ({
      name: copies === 0 ? "host loses power" : "host loses power, and the printer prints what it has",
      when: (s) => s.hostFaults > 0 && (copies === 0 || s.output === 1),
      apply: (s) => {
        s.hostFaults -= 1;
        s.paper = Math.min(2, s.paper + copies);
        s.ledger = s.ledgerDisk;
        s.loaded = 0;
        s.output = 0;
      },
    }),
  ),
  {
    name: "client never returns",
    when: (s) => s.departures > 0,
    apply: (s) => {
      s.departures = 0;
      s.clientGone = 1;
    },
  },
  {
    name: "server never returns",
    when: (s) => s.departures > 0,
    apply: (s) => {
      s.departures = 0;
      s.serverGone = 1;
    },
  },
];

/** Rules of whoever is there. */
function alive(rules: readonly Rule<PrintState>[], gone: "clientGone" | "serverGone"): Rule<PrintState>[] {
  return rules.map((rule) => ({ ...rule, when: (s) => s[gone] === 0 && rule.when(s) }));
}

export const printRules: readonly Rule<PrintState>[] = [
  ...alive(clientRules, "clientGone"),
  ...alive(serverRules, "serverGone"),
  ...hostRules,
  ...faults,
];

export const printInvariants: Specification<PrintState>["invariants"] = {
  "I1 at most one copy on paper": (s) => s.paper <= 1,
  "I2 PRINTED is on paper": (s) => s.ledgerDisk !== 2 || s.paper > 0,
  "I3 a confirmed cancel never prints": (s) => s.canceled === 0 || s.paper === 0,
  "I4 accepted and unfinished: a durable copy exists": (s) =>
    s.accepted === 0 ||
    isFinal(s.ledgerDisk) ||
    s.pruned === 1 ||
    (s.rowDisk === 1 && s.row > 0 && s.image === 2) ||
    (s.jobDisk === 1 && s.copy === 2),
  "I5 history and client say what the ledger says": (s) =>
    s.pruned === 1 ||
    ((s.historyDisk === 0 || s.historyDisk === s.ledgerDisk) && (s.rowDisk !== 2 || s.heard === s.ledgerDisk)),
  "I6 closed at the client: in the history": (s) => s.rowDisk !== 3 || s.jobDisk === 2,
};

function unfinished(s: Readonly<PrintState>): string | undefined {
  const final = isFinal(s.ledger) || s.pruned === 1;
  if (s.ledger === 1) return "I7 an INTENT stays open";
  if (s.rowDisk === 0) return undefined;
  if (s.clientGone === 1) {
    if (s.jobDisk === 1 && s.copy === 2 && !final) return "I7 the server has the image and does not print it";
    return s.jobDisk === 1 && final ? "I7 the server never hears of the end" : undefined;
  }
  if (s.serverGone === 1) {
    if (s.image === 2 && !final) return "I7 the client has the image and does not print it";
    return final && s.rowDisk === 1 ? "I7 the client never hears of the end" : undefined;
  }
  if (!final) return "I7 the job does not end";
  if (s.jobDisk !== 2) return "I7 there is no history";
  return s.rowDisk === 3 ? undefined : "I7 the client never closes";
}

export function printProtocol(bounds: PrintBounds): Specification<PrintState> {
  return { initial: { ...nothingYet, ...bounds }, rules: printRules, invariants: printInvariants, unfinished };
}
