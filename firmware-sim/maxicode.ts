import { type DotRow, rowBytes, setDots } from "./bits.ts";
import type { SymbolImage } from "./symbol-encoder.ts";

// ISO/IEC 16023: 33 rows of 30 hexagons, every second row moved by half a hexagon; one size only.
const COLUMNS = 30;
const ROWS = 33;
const PITCH_MM = 0.88;
/** Rows are closer than columns: hexagons interlock. */
const ROW_PITCH = Math.sqrt(3) / 2;
/** Where the rings of the finder change between dark and light, outermost first, in hexagon pitches. */
const RING_RADII = [4.41, 3.646, 2.886, 2.122, 1.345, 0.581] as const;

/** The dark hexagons and the bull's-eye, at the only size that the standard allows. */
export function drawMaxiCode(hexagons: readonly number[], dpi: number): SymbolImage {
  const pitchDots = (PITCH_MM / 25.4) * dpi;
  const rowDots = pitchDots * ROW_PITCH;
  const capDots = pitchDots / Math.sqrt(3);
  const widthDots = Math.round((COLUMNS + 0.5) * pitchDots);
  const heightDots = Math.round((ROWS - 1) * rowDots + 2 * capDots);
  const rows: DotRow[] = Array.from({ length: heightDots }, () => new Uint8Array(rowBytes(widthDots)));
  for (const hexagon of hexagons) {
    const row = Math.floor(hexagon / COLUMNS);
    const x = ((hexagon % COLUMNS) + (row % 2 === 0 ? 0.5 : 1)) * pitchDots;
    drawHexagon(rows, x, capDots + row * rowDots, (pitchDots - 1) / 2);
  }
  drawFinder(rows, 14.5 * pitchDots, capDots + 16 * rowDots, pitchDots);
  return { widthDots, rows };
}

/** A hexagon that stands on a corner, `radius` from its centre to a side. */
function drawHexagon(rows: readonly DotRow[], centerX: number, centerY: number, radius: number): void {
  const reach = Math.ceil(radius * 1.2);
  for (let y = Math.floor(centerY) - reach; y <= centerY + reach; y += 1) {
    const row = rows[y];
    if (row === undefined) continue;
    for (let x = Math.floor(centerX) - reach; x <= centerX + reach; x += 1) {
      const dx = Math.abs(x + 0.5 - centerX);
      const dy = Math.abs(y + 0.5 - centerY);
      if (dx <= radius && dx / 2 + dy * ROW_PITCH <= radius) setDots(row, x, 1);
    }
  }
}

function drawFinder(rows: readonly DotRow[], centerX: number, centerY: number, pitchDots: number): void {
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length * 8; x += 1) {
      const distance = Math.hypot(x + 0.5 - centerX, y + 0.5 - centerY) / pitchDots;
      const rings = RING_RADII.filter((radius) => distance <= radius).length;
      if (rings % 2 === 1) setDots(row, x, 1);
    }
  });
}
