import type { Rule, Specification } from "./explore.ts";

/**
 * Which spools keep the image, changed from both sides while a job waits (docs/decisions/0006). Even revisions are the
 * server's, odd ones the client's. A message says a revision and whether its sender has a copy; once sent it may arrive
 * at any later moment.
 */
export type CopiesState = {
  client: number;
  server: number;
  clientRevision: number;
  serverRevision: number;
  // What each revision chose: 0 not yet, 1 both, 2 client, 3 server.
  chosen0: number;
  chosen1: number;
  chosen2: number;
  chosen3: number;
  chosen4: number;
  // Revisions under which each side said that it has its copy, as a bit each; and the newest it made known at all.
  clientSaid: number;
  serverSaid: number;
  clientTold: number;
  serverTold: number;
};

const both = 1;
const clientOnly = 2;
const serverOnly = 3;

function chosen(s: Readonly<CopiesState>, revision: number): number {
  return [s.chosen0, s.chosen1, s.chosen2, s.chosen3, s.chosen4][revision] ?? 0;
}

function choose(s: CopiesState, revision: number, spools: number): void {
  if (revision === 1) s.chosen1 = spools;
  if (revision === 2) s.chosen2 = spools;
  if (revision === 3) s.chosen3 = spools;
  if (revision === 4) s.chosen4 = spools;
}

const changes: readonly Rule<CopiesState>[] = [1, 2, 3, 4].flatMap((revision) =>
  [both, clientOnly, serverOnly].map((spools): Rule<CopiesState> => {
    const side = revision % 2 === 1 ? "clientRevision" : "serverRevision";
    return {
      name: `${side === "clientRevision" ? "client" : "server"} chooses ${["", "both", "client", "server"][spools]} (${revision})`,
      when: (s) => s[side] < revision && revision - s[side] <= 2 && chosen(s, revision) === 0,
      apply: (s) => {
        choose(s, revision, spools);
        s[side] = revision;
      },
    };
  }),
);

const news: readonly Rule<CopiesState>[] = [
  {
    name: "client tells",
    when: (s) => s.clientTold < s.clientRevision || (s.client === 1 && (s.clientSaid & (1 << s.clientRevision)) === 0),
    apply: (s) => {
      s.clientTold = Math.max(s.clientTold, s.clientRevision);
      if (s.client === 1) s.clientSaid |= 1 << s.clientRevision;
    },
  },
  {
    name: "server tells",
    when: (s) => s.serverTold < s.serverRevision || (s.server === 1 && (s.serverSaid & (1 << s.serverRevision)) === 0),
    apply: (s) => {
      s.serverTold = Math.max(s.serverTold, s.serverRevision);
      if (s.server === 1) s.serverSaid |= 1 << s.serverRevision;
    },
  },
  {
    name: "server follows",
    when: (s) => s.clientTold > s.serverRevision,
    apply: (s) => {
      s.serverRevision = s.clientTold;
    },
  },
  {
    name: "client follows",
    when: (s) => s.serverTold > s.clientRevision,
    apply: (s) => {
      s.clientRevision = s.serverTold;
    },
  },
];

const copying: readonly Rule<CopiesState>[] = [
  {
    name: "server takes a copy",
    when: (s) => s.server === 0 && s.client === 1 && chosen(s, s.serverRevision) !== clientOnly,
    apply: (s) => {
      s.server = 1;
    },
  },
  {
    name: "client fetches a copy",
    when: (s) => s.client === 0 && s.server === 1 && chosen(s, s.clientRevision) !== serverOnly,
    apply: (s) => {
      s.client = 1;
    },
  },
  {
    name: "server gives its copy up",
    when: (s) => s.server === 1 && chosen(s, s.serverRevision) === clientOnly && s.clientSaid > 0,
    guards: {
      "the client has its own, and knows these very settings": (s) => (s.clientSaid & (1 << s.serverRevision)) !== 0,
    },
    apply: (s) => {
      s.server = 0;
    },
  },
  {
    name: "client gives its copy up",
    when: (s) => s.client === 1 && chosen(s, s.clientRevision) === serverOnly && s.serverSaid > 0,
    guards: {
      "the server has its own, and knows these very settings": (s) => (s.serverSaid & (1 << s.clientRevision)) !== 0,
    },
    apply: (s) => {
      s.client = 0;
    },
  },
];

export const copiesProtocol: Specification<CopiesState> = {
  initial: {
    client: 1,
    server: 1,
    clientRevision: 0,
    serverRevision: 0,
    chosen0: both,
    chosen1: 0,
    chosen2: 0,
    chosen3: 0,
    chosen4: 0,
    clientSaid: 0,
    serverSaid: 0,
    clientTold: 0,
    serverTold: 0,
  },
  rules: [...changes, ...news, ...copying],
  invariants: { "I4 somebody has a copy": (s) => s.client + s.server > 0 },
  unfinished: (s) => {
    if (s.clientRevision !== s.serverRevision) return "I7 the sides do not agree on the settings";
    const spools = chosen(s, s.serverRevision);
    const wanted = [[], [1, 1], [1, 0], [0, 1]][spools] ?? [];
    return s.client === wanted[0] && s.server === wanted[1]
      ? undefined
      : "I7 the copies are not where they were chosen to be";
  },
};
