import { type DotRow, getDot } from "./bits.ts";
import { locateText, type PrintedPage, type TextPlace } from "./text-places.ts";

/**
 * A page as SVG, one unit a dot, in the size it has on paper. The dots are one path; over them lies the text that was
 * sent, unseen, where it stands: it can be searched, selected and asserted on.
 */
export function pageToSvg(page: PrintedPage): string {
  const { widthDots, dpi } = page;
  // SVG has no pictures without a height.
  const heightDots = Math.max(1, page.heightDots);
  const millimetres = (dots: number): string => `${((dots / dpi) * 25.4).toFixed(2)}mm`;
  const size = `width="${millimetres(widthDots)}" height="${millimetres(heightDots)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${widthDots} ${heightDots}">`,
    `<rect width="${widthDots}" height="${heightDots}" fill="#fff"/>`,
    `<path fill="#000" shape-rendering="crispEdges" d="${dotsPath(page)}"/>`,
    '<g fill="#000" fill-opacity="0" font-family="monospace">',
    ...locateText(page).map(textElement),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function textElement({ text, x, y, widthDots, heightDots }: TextPlace): string {
  const place = `x="${x}" y="${y + heightDots}" font-size="${heightDots}" textLength="${widthDots}"`;
  return `<text ${place} lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escapeXml(text.trim())}</text>`;
}

/** Rectangles of equal runs in neighbouring rows, so that the file stays small where the picture is simple. */
function dotsPath(page: PrintedPage): string {
  const path: string[] = [];
  let open = new Map<string, number>();
  const close = (key: string, from: number, to: number): void => {
    const [start = 0, end = 0] = key.split(" ").map(Number);
    path.push(`M${start} ${from}h${end - start}v${to - from}h${start - end}z`);
  };
  for (let y = 0; y <= page.heightDots; y += 1) {
    const row = page.rows[y];
    const runs = new Set(row === undefined ? [] : runsOf(row, page.widthDots));
    const next = new Map<string, number>();
    for (const [key, from] of open) {
      if (runs.has(key)) next.set(key, from);
      else close(key, from, y);
    }
    for (const key of runs) if (!next.has(key)) next.set(key, y);
    open = next;
  }
  return path.join("");
}

/** The black runs of a row, as `start end`. */
function runsOf(row: DotRow, widthDots: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < widthDots; ) {
    if (!getDot(row, x)) {
      x += 1;
      continue;
    }
    const start = x;
    while (x < widthDots && getDot(row, x)) x += 1;
    runs.push(`${start} ${x}`);
  }
  return runs;
}

/** Control characters have no place in XML, escaped or not. */
function escapeXml(text: string): string {
  return Array.from(text, (character) => {
    if (character === "<") return "&lt;";
    if (character === "&") return "&amp;";
    return character < " " ? " " : character;
  }).join("");
}
