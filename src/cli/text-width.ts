/**
 * East Asian Wide and Fullwidth (UAX #11), which terminals draw over two columns. Ambiguous characters count as one,
 * as terminals outside of legacy East Asian locales have them.
 */
const wide =
  /^[\u1100-\u115F\u231A\u231B\u23E9-\u23EC\u23F0\u23F3\u2614\u2615\u26A1\u2705\u2728\u274C\u274E\u2753-\u2755\u2757\u2795-\u2797\u2B50\u2B55\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F004}\u{1F0CF}\u{1F18E}\u{1F191}-\u{1F19A}\u{1F200}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F7E0}-\u{1F7EB}\u{1F900}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns a text takes on a terminal. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += graphemeWidth(segment);
  return columns;
}

/** U+FE0F asks for the emoji form, which is two columns wide. */
function graphemeWidth(grapheme: string): number {
  if (/^[\p{Cc}\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0;
  return wide.test(grapheme) || grapheme.includes("\uFE0F") ? 2 : 1;
}

/** The text cut to so many columns, with an ellipsis where something is left out. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns < 1) return "";
  let used = 0;
  let kept = "";
  for (const { segment } of segmenter.segment(text)) {
    const width = graphemeWidth(segment);
    if (used + width > columns - 1) break;
    used += width;
    kept += segment;
  }
  return `${kept}…`;
}

export function padText(text: string, columns: number, align: "left" | "right" = "left"): string {
  const padding = " ".repeat(Math.max(0, columns - textWidth(text)));
  return align === "left" ? text + padding : padding + text;
}

/** Titles and names come from other machines: nothing in them may steer the terminal. */
export function printable(text: string): string {
  // Bidirectional overrides reorder what follows them, so they go with the controls.
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD");
}
