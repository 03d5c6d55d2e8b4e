import { loadFont } from "./font.ts";
import { TextPainter } from "./formats/text.ts";
import { TextLayout } from "./formats/text-layout.ts";
import type { ImagePage, PageGeometry } from "./print-image.ts";
import { bytesPerRow } from "./print-image.ts";
import { decodePwg, encodePwg } from "./pwg-raster.ts";

/** Rows of the bars above and below the words, and of the white around them. */
const barDots = 6;
const marginDots = 8;

/**
 * A new print image (PWG Raster) like `image`, whose first page begins with a band that says `line`, for instance
 * `DUPLICATE / 再印刷`. Throws as `decodePwg` does.
 */
export async function* markDuplicate(
  image: AsyncIterable<Uint8Array> | Uint8Array,
  line: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = image instanceof Uint8Array ? oneChunk(image) : image;
  yield* encodePwg(addBand(decodePwg(chunks), line));
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function* addBand(pages: AsyncIterable<ImagePage>, line: string): AsyncGenerator<ImagePage, void, undefined> {
  let isFirst = true;
  for await (const page of pages) {
    if (!isFirst) {
      yield page;
      continue;
    }
    isFirst = false;
    const band = await makeBand(page, line);
    yield { ...page, heightDots: band.length + page.heightDots, rows: joinRows(band, page.rows) };
  }
}

async function* joinRows(
  band: readonly Uint8Array[],
  rows: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield* band;
  yield* rows;
}

/** The rows of the band: bar, words in double size where they fit so, bar. */
async function makeBand(page: PageGeometry, line: string): Promise<Uint8Array[]> {
  const font = await loadFont("efont-24");
  const double = new TextPainter(font, page, 2);
  const columns = [...line].reduce((sum, char) => sum + double.measure(char.codePointAt(0) ?? 0), 0);
  const painter = columns <= double.columns ? double : new TextPainter(font, page, 1);
  const layout = new TextLayout(painter.columns, painter.measure);
  const codePoints = [...line].map((char) => char.codePointAt(0) ?? 0);
  const words = [...layout.add(codePoints), ...layout.end()].flatMap((event) =>
    event.kind === "line" ? [...painter.paint(event.cells)] : [],
  );
  const bar = Array.from({ length: barDots }, () => fullRow(page.widthDots));
  const white = Array.from({ length: marginDots }, () => new Uint8Array(bytesPerRow(page.widthDots)));
  return [...bar, ...white, ...words, ...white, ...bar, ...white];
}

function fullRow(widthDots: number): Uint8Array {
  const row = new Uint8Array(bytesPerRow(widthDots)).fill(0xff);
  const spare = row.length * 8 - widthDots;
  row[row.length - 1] = (0xff << spare) & 0xff;
  return row;
}
