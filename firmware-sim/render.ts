import { Interpreter } from "./interpreter.ts";
import { applyStep } from "./mechanism.ts";
import { type Page, PaperRoll } from "./paper.ts";
import type { Diagnostic } from "./parser.ts";
import { findProfile, type Profile } from "./profiles.ts";
import { ALL_WELL } from "./status.ts";

export interface RenderOptions {
  /** A profile or its name; default `tm-m30iii`. */
  readonly profile?: string | Profile;
  /** Gets every diagnostic as it arises. */
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

/** The paper that ESC/POS bytes give: one page per cut, and what is left uncut at the end. No time, no back channel. */
export function renderEscpos(bytes: Uint8Array, options: RenderOptions = {}): readonly Page[] {
  const profile = typeof options.profile === "object" ? options.profile : findProfile(options.profile);
  const pages: Page[] = [];
  const paper = new PaperRoll(profile, (page) => pages.push(page));
  const nothing = (): void => {};
  const interpreter = new Interpreter(profile, {
    push: (step) => applyStep(paper, step),
    reply: nothing,
    processIdResponse: () => nothing,
    setOfflineResponse: nothing,
    setAutomaticStatus: nothing,
    initialized: nothing,
    pulse: nothing,
    conditions: () => ALL_WELL,
    diagnosed: options.onDiagnostic ?? nothing,
  });
  interpreter.feed(bytes);
  const uncut = paper.uncut();
  return uncut === undefined ? pages : [...pages, uncut];
}
