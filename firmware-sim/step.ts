import type { DotRow } from "./bits.ts";

export type CutKind = "full" | "partial";

/** What the interpreter asks of head, motor and cutter, in order. `text` is the line of text that begins here. */
export type Step =
  | { readonly kind: "print"; readonly rows: readonly DotRow[]; readonly text?: string }
  | { readonly kind: "feed"; readonly dots: number; readonly text?: string }
  | { readonly kind: "cut"; readonly cut: CutKind }
  /** GS V 97/98: cut once the present print position has reached the blade, `dots` further on. */
  | { readonly kind: "reserve-cut"; readonly cut: CutKind; readonly dots: number }
  /** Nothing moves for as long as is said when its turn comes. */
  | { readonly kind: "pause"; readonly ms: () => number }
  /** Runs when everything before it is on paper. */
  | { readonly kind: "marker"; readonly fire: () => void };
