import { defaultPriority, type JobChange, type JobSettings, type JobTicket, type Source } from "./job.ts";

/** The settings a job was submitted with. */
export function firstSettings(ticket: JobTicket): JobSettings {
  const { source, spools, priority = defaultPriority, held = false, holdMs, expiresMs } = ticket;
  const times = { ...(holdMs === undefined ? {} : { holdMs }), ...(expiresMs === undefined ? {} : { expiresMs }) };
  return { revision: 0, source, spools, priority, held, ...times };
}

/** The settings that hold now. */
export function settingsOf(row: {
  readonly ticket: JobTicket;
  readonly settings?: JobSettings | undefined;
}): JobSettings {
  return row.settings ?? firstSettings(row.ticket);
}

type SettledJob = Parameters<typeof settingsOf>[0];

/** One setting that holds now; for loops over many jobs, without making the others. */
export function priorityOf({ ticket, settings }: SettledJob): number {
  return settings?.priority ?? ticket.priority ?? defaultPriority;
}

export function isHeld({ ticket, settings }: SettledJob): boolean {
  return settings?.held ?? ticket.held ?? false;
}

export function holdMsOf({ ticket, settings }: SettledJob): number | undefined {
  return settings === undefined ? ticket.holdMs : settings.holdMs;
}

export function expiresMsOf({ ticket, settings }: SettledJob): number | undefined {
  return settings === undefined ? ticket.expiresMs : settings.expiresMs;
}

/** The settings after a change by that side, under a revision that no change of the other side can have. */
export function changeSettings(settings: JobSettings, change: JobChange, by: Source): JobSettings {
  const { holdMs = settings.holdMs, expiresMs = settings.expiresMs } = change;
  return {
    revision: nextRevision(settings.revision, by),
    source: change.source ?? settings.source,
    spools: change.spools ?? settings.spools,
    priority: change.priority ?? settings.priority,
    held: change.held ?? settings.held,
    ...(typeof holdMs === "number" ? { holdMs } : {}),
    ...(typeof expiresMs === "number" ? { expiresMs } : {}),
  };
}

function nextRevision(revision: number, by: Source): number {
  const next = revision + 1;
  const isOdd = next % 2 === 1;
  return isOdd === (by === "client") ? next : next + 1;
}

/** The source is a spool that keeps the image, or is left open (fig. 9). */
export function sourceFitsSpools({ source, spools }: Pick<JobSettings, "source" | "spools">): boolean {
  return source === "auto" || spools === "both" || spools === source;
}
