import { createFraming, Interpreter } from "./interpreter.ts";
import { applyStep } from "./mechanism.ts";
import { type Page, PaperRoll } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { DEFAULT_PROFILE_NAME, findProfile, type Profile } from "./profiles.ts";
import { ALL_WELL } from "./status.ts";
import type { Step } from "./step.ts";

export interface RenderOptions {
  /** A profile or its name; default `tm-m30iii`. */
  readonly profile?: string | Profile;
  /** Gets every diagnostic as it arises. */
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

/** Paper of bounded length. */
export interface BoundedPaper {
  readonly pages: readonly Page[];
  /** The bytes give more paper than `maxRows`: what follows the last page was not rendered. */
  readonly truncated: boolean;
}

/** The paper that ESC/POS bytes give: one page per cut, and what is left uncut at the end. No time, no back channel. */
export function renderEscpos(bytes: Uint8Array, options: RenderOptions = {}): readonly Page[] {
  return renderEscposWithin(bytes, { ...options, maxRows: Number.POSITIVE_INFINITY }).pages;
}

/**
 * The same for bytes that nobody vouches for: at most `maxRows` dot rows of paper in all, however many the bytes ask
 * for, so that memory stays bounded.
 */
export function renderEscposWithin(
  bytes: Uint8Array,
  options: RenderOptions & { readonly maxRows: number },
): BoundedPaper {
  const profile = typeof options.profile === "object" ? options.profile : findProfile(options.profile);
  const pages: Page[] = [];
  const paper = new PaperRoll(profile, (page) => pages.push(page));
  const nothing = (): void => {};
  let truncated = false;
  const push = (step: Step): void => {
    const left = options.maxRows - paper.headRow;
    const [fitting, fits] = withinRows(step, left);
    if (fitting !== undefined && !truncated) applyStep(paper, fitting);
    if (!fits) truncated = true;
  };
  const interpreter = new Interpreter(
    profile,
    {
      push,
      reply: nothing,
      processIdResponse: () => nothing,
      setOfflineResponse: nothing,
      setAutomaticStatus: nothing,
      initialized: nothing,
      pulse: nothing,
      conditions: () => ALL_WELL,
      diagnosed: options.onDiagnostic ?? nothing,
    },
    () => truncated,
  );
  interpreter.feed(bytes);
  const uncut = paper.uncut();
  return { pages: uncut === undefined ? pages : [...pages, uncut], truncated };
}

/** Whether the bytes break off in the middle of a command of this printer. */
export function endsWithinCommand(bytes: Uint8Array, profile: Profile | string = DEFAULT_PROFILE_NAME): boolean {
  const framing = createFraming(typeof profile === "string" ? findProfile(profile) : profile);
  framing.follow(bytes, 0, bytes.length);
  return framing.context !== "boundary";
}

/** As much of a step as so many rows have room for, and whether that is all of it. */
function withinRows(step: Step, rows: number): readonly [fitting: Step | undefined, fits: boolean] {
  switch (step.kind) {
    case "print":
      return step.rows.length <= rows ? [step, true] : [{ ...step, rows: step.rows.slice(0, rows) }, false];
    case "feed":
      return step.dots <= rows ? [step, true] : [{ ...step, dots: rows }, false];
    default:
      return [step, true];
  }
}
