/**
 * Makes the bitmap fonts of this package from the PCF fonts of two Debian packages. Run it again only when a font is
 * to change; its output is committed, and is the same to the byte for the same packages.
 *
 *   mkdir /tmp/fonts-src && cd /tmp/fonts-src
 *   apt-get download xfonts-efont-unicode xfonts-base
 *   for deb in *.deb; do dpkg -x "$deb" tree; done
 *   cd - && node scripts/build-fonts.mjs /tmp/fonts-src/tree
 *
 * Output format "TSF1", little endian, inside gzip: magic, u16 cellHeight, u32 glyphCount, then the glyphs in order of
 * code point: u32 codePoint, u8 widthDots, cellHeight rows of ceil(widthDots / 8) bytes, leftmost dot in the high bit.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

// Table types and format bits of the X11 Portable Compiled Format (libXfont, pcf.h).
const tableMetrics = 1 << 2;
const tableBitmaps = 1 << 3;
const tableEncodings = 1 << 5;
const tableAccelerators = 1 << 1;
const tableBdfAccelerators = 1 << 8;
const compressedMetrics = 0x100;

/** Reads the tables of one PCF font; each reader obeys the byte order of its own table. */
function openTables(file) {
  const count = file.readUInt32LE(4);
  if (file.toString("latin1", 0, 4) !== "\x01fcp") throw new Error("not a PCF font");
  const tables = new Map();
  for (let i = 0; i < count; i += 1) {
    const entry = 8 + i * 16;
    const offset = file.readUInt32LE(entry + 12);
    const format = file.readUInt32LE(offset);
    const bigEndian = (format & 4) !== 0;
    tables.set(file.readUInt32LE(entry), {
      offset,
      format,
      i16: (at) => (bigEndian ? file.readInt16BE(offset + at) : file.readInt16LE(offset + at)),
      u16: (at) => (bigEndian ? file.readUInt16BE(offset + at) : file.readUInt16LE(offset + at)),
      i32: (at) => (bigEndian ? file.readInt32BE(offset + at) : file.readInt32LE(offset + at)),
      u8: (at) => file.readUInt8(offset + at),
    });
  }
  return tables;
}

function readMetrics(table) {
  const compressed = (table.format & 0xffffff00) === compressedMetrics;
  const count = compressed ? table.u16(4) : table.i32(4);
  return Array.from({ length: count }, (_, i) => {
    const value = (field) => (compressed ? table.u8(6 + i * 5 + field) - 0x80 : table.i16(8 + i * 12 + field * 2));
    return { left: value(0), right: value(1), width: value(2), ascent: value(3), descent: value(4) };
  });
}

/** Maps encoding (two bytes: byte 1, byte 2) to glyph index. */
function readEncodings(table) {
  const [minLow, maxLow, minHigh, maxHigh] = [table.i16(4), table.i16(6), table.i16(8), table.i16(10)];
  const encodings = new Map();
  let at = 14;
  for (let high = minHigh; high <= maxHigh; high += 1) {
    for (let low = minLow; low <= maxLow; low += 1) {
      const glyph = table.u16(at);
      at += 2;
      if (glyph !== 0xffff) encodings.set(high * 256 + low, glyph);
    }
  }
  return encodings;
}

/** Gives a function: is the dot (x, y) of glyph `index` black, in the coordinates of the glyph's own box. */
function readBitmaps(table, metrics) {
  const count = table.i32(4);
  const pad = 1 << (table.format & 3);
  const msbFirst = (table.format & 8) !== 0;
  const bytesMsb = (table.format & 4) !== 0;
  const unit = 1 << ((table.format >> 4) & 3);
  const data = 8 + count * 4 + 16;
  return (index, x, y) => {
    const { left, right } = metrics[index];
    const rowBytes = Math.ceil((right - left) / 8 / pad) * pad;
    let byte = y * rowBytes + (x >> 3);
    if (bytesMsb !== msbFirst) byte = byte - (byte % unit) + (unit - 1 - (byte % unit));
    const bits = table.u8(data + table.i32(8 + index * 4) + byte);
    return ((msbFirst ? bits >> (7 - (x & 7)) : bits >> (x & 7)) & 1) === 1;
  };
}

/** All glyphs of a PCF font as character cells: advance width by (font ascent + font descent). */
function readPcf(path) {
  const tables = openTables(gunzipSync(readFileSync(path)));
  const accelerators = tables.get(tableBdfAccelerators) ?? tables.get(tableAccelerators);
  const ascent = accelerators.i32(12);
  const cellHeight = ascent + accelerators.i32(16);
  const metrics = readMetrics(tables.get(tableMetrics));
  const isBlack = readBitmaps(tables.get(tableBitmaps), metrics);
  const glyphs = new Map();
  for (const [code, index] of readEncodings(tables.get(tableEncodings))) {
    const metric = metrics[index];
    const rowBytes = (metric.width + 7) >> 3;
    const rows = Buffer.alloc(rowBytes * cellHeight);
    for (let y = 0; y < metric.ascent + metric.descent; y += 1) {
      const cellY = ascent - metric.ascent + y;
      for (let x = 0; x < metric.right - metric.left; x += 1) {
        const cellX = metric.left + x;
        if (cellX < 0 || cellX >= metric.width || cellY < 0 || cellY >= cellHeight) continue;
        if (isBlack(index, x, y)) rows[cellY * rowBytes + (cellX >> 3)] |= 0x80 >> (cellX & 7);
      }
    }
    glyphs.set(code, { widthDots: metric.width, rows });
  }
  return { cellHeight, glyphs };
}

function writeTsf(path, { cellHeight, glyphs }) {
  const head = Buffer.alloc(10);
  head.write("TSF1", 0, "latin1");
  head.writeUInt16LE(cellHeight, 4);
  const usable = [...glyphs].filter(([, glyph]) => glyph.widthDots > 0).sort(([a], [b]) => a - b);
  head.writeUInt32LE(usable.length, 6);
  const parts = [head];
  for (const [code, glyph] of usable) {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32LE(code, 0);
    prefix.writeUInt8(glyph.widthDots, 4);
    parts.push(prefix, glyph.rows);
  }
  const packed = gzipSync(Buffer.concat(parts), { level: 9 });
  packed.writeUInt32LE(0, 4);
  packed[9] = 255; // "unknown" operating system, so that every machine writes the same bytes (RFC 1952 §2.3.1)
  writeFileSync(path, packed);
  console.log(`${path}: ${usable.length} glyphs, cell height ${cellHeight}, ${packed.length} bytes`);
}

/**
 * efont's b24 has no half-width katakana. The JIS X 0201 font 12x24rk has them at the very same cell, A1h-DFh, which
 * are U+FF61-U+FF9F in the same order. Its voice marks and punctuation come with them. b24 wins wherever both have a
 * glyph; the yen sign (5Ch in JIS X 0201) is taken only if b24 lacks it.
 */
function addHalfWidthKatakana(font, jisx0201) {
  if (font.cellHeight !== jisx0201.cellHeight) throw new Error("12x24rk and b24 differ in cell height");
  const put = (codePoint, code) => {
    const glyph = jisx0201.glyphs.get(code);
    if (glyph !== undefined && !font.glyphs.has(codePoint)) font.glyphs.set(codePoint, glyph);
  };
  for (let code = 0xa1; code <= 0xdf; code += 1) put(0xff61 + code - 0xa1, code);
  put(0xa5, 0x5c);
  put(0x203e, 0x7e);
}

const [tree] = process.argv.slice(2);
if (tree === undefined) throw new Error("usage: node scripts/build-fonts.mjs FOLDER (see the head of this file)");
const source = join(tree, "usr/share/fonts/X11/misc");
const docs = join(tree, "usr/share/doc/xfonts-efont-unicode");
const target = join(dirname(fileURLToPath(import.meta.url)), "..", "fonts");
mkdirSync(target, { recursive: true });

const efont = readPcf(join(source, "b24.pcf.gz"));
addHalfWidthKatakana(efont, readPcf(join(source, "12x24rk.pcf.gz")));
writeTsf(join(target, "efont-24.tsf.gz"), efont);
writeTsf(join(target, "misc-9x18.tsf.gz"), readPcf(join(source, "9x18.pcf.gz")));

copyFileSync(join(docs, "copyright"), join(target, "efont-COPYRIGHT.txt"));
for (const name of readdirSync(docs).filter((entry) => entry.startsWith("README") && entry !== "README.Debian")) {
  const bytes = readFileSync(join(docs, name));
  writeFileSync(
    join(target, `efont-${name.replace(/\.gz$/, "")}.txt`),
    name.endsWith(".gz") ? gunzipSync(bytes) : bytes,
  );
}
const base = readFileSync(join(tree, "usr/share/doc/xfonts-base/copyright"), "utf8");
for (const part of ["font-misc-misc", "font-sony-misc"]) {
  const section = base.slice(base.indexOf(`${part}/COPYING:`));
  const body = section.slice(section.indexOf("\n") + 1).split(/\n(?=\S)/)[0];
  writeFileSync(join(target, `${part}-COPYING.txt`), `${body.replace(/^ {4}/gm, "").trimEnd()}\n`);
}
