/**
 * The life of one job (design §2 and §3): a client, the server, a printer host. A message that was sent can arrive at any
 * later moment, so losing, delaying, reordering and repeating it are all in. There are no clocks: what a time-out may
 * cause may happen at any moment. What is not yet durable is lost with the power of its node.
 */
export type PrintState = {
  /** Row at the client, in memory and on disk: 0 none, 1 open, 2 ended, 3 closed. */
  row: number;
  rowDisk: number;
  /** What the client heard of the end, as the ledger says it; and durably. */
  heard: number;
  /** The client's image: 0 none, 1 in memory, 2 durable. */
  image: number;
  submitted: number;
  /** The user was told that it will be printed. */
  accepted: number;
  /** Job at the server, in memory and on disk: 0 none, 1 open, 2 history. */
  job: number;
  jobDisk: number;
  /** Outcome in the history, as the ledger says it. */
  history: number;
  historyDisk: number;
  /** The server's image: 0 none, 1 coming in, 2 durable. */
  copy: number;
  /** The host's ledger: 0 none, 1 INTENT, 2 PRINTED, 3 INDETERMINATE, 4 CANCELED; in memory and on disk. */
  ledger: number;
  ledgerDisk: number;
  /** The ledger has forgotten the job, and refuses its id for ever. */
  pruned: number;
  /** The host has the whole image in memory. */
  loaded: number;
  /** The output: 0 none, 1 begun, 2 the printer says that it is complete, 3 nobody knows. */
  output: number;
  /** Complete copies on paper. */
  paper: number;
  // Messages that were sent.
  requested: number;
  acknowledged: number;
  stored: number;
  offered: number;
  ended: number;
  closed: number;
  cancel: number;
  canceled: number;
  // How often each may still lose its power, and who is gone for good.
  clientFaults: number;
  serverFaults: number;
  hostFaults: number;
  departures: number;
  clientGone: number;
  serverGone: number;
};

export const nothingYet: PrintState = {
  row: 0,
  rowDisk: 0,
  heard: 0,
  image: 0,
  submitted: 0,
  accepted: 0,
  job: 0,
  jobDisk: 0,
  history: 0,
  historyDisk: 0,
  copy: 0,
  ledger: 0,
  ledgerDisk: 0,
  pruned: 0,
  loaded: 0,
  output: 0,
  paper: 0,
  requested: 0,
  acknowledged: 0,
  stored: 0,
  offered: 0,
  ended: 0,
  closed: 0,
  cancel: 0,
  canceled: 0,
  clientFaults: 0,
  serverFaults: 0,
  hostFaults: 0,
  departures: 0,
  clientGone: 0,
  serverGone: 0,
};
