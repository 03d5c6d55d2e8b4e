import type { Engine } from "../engine.ts";
import { type CommandRow, CommandTable } from "../parser.ts";
import type { Profile } from "../profiles.ts";
import { BARCODE_COMMANDS, barcodesAmong } from "./barcode.ts";
import { BLOCK_COMMANDS } from "./blocks.ts";
import { BUZZER_COMMANDS } from "./buzzer.ts";
import { CLONE_COMMANDS } from "./clone.ts";
import { CONTROL_COMMANDS } from "./control.ts";
import { FEED_COMMANDS } from "./feed.ts";
import { GRAPHICS_COMMANDS } from "./graphics.ts";
import { IMAGE_COMMANDS } from "./image.ts";
import { KANJI_COMMANDS } from "./kanji.ts";
import { LOGO_COMMANDS } from "./logo.ts";
import { MACRO_COMMANDS } from "./macro.ts";
import { PAGE_COMMANDS } from "./page.ts";
import { POSITION_COMMANDS } from "./position.ts";
import { REAL_TIME_COMMANDS } from "./real-time.ts";
import { SETTING_COMMANDS } from "./settings.ts";
import { STATUS_COMMANDS } from "./status.ts";
import { STORED_IMAGE_COMMANDS } from "./stored-image.ts";
import { SYMBOL_COMMANDS } from "./symbol.ts";
import { TEXT_COMMANDS } from "./text.ts";
import { TEXT_STYLE_COMMANDS } from "./text-style.ts";
import { unsupportedCommands } from "./unsupported.ts";
import { USER_GLYPH_COMMANDS } from "./user-glyphs.ts";

export const CARRIED_OUT: readonly CommandRow<Engine>[] = [
  ...BARCODE_COMMANDS,
  ...BLOCK_COMMANDS,
  ...BUZZER_COMMANDS,
  ...CLONE_COMMANDS.map(({ row }) => row),
  ...CONTROL_COMMANDS,
  ...FEED_COMMANDS,
  ...GRAPHICS_COMMANDS,
  ...IMAGE_COMMANDS,
  ...KANJI_COMMANDS,
  ...LOGO_COMMANDS,
  ...MACRO_COMMANDS,
  ...PAGE_COMMANDS,
  ...POSITION_COMMANDS,
  ...SETTING_COMMANDS,
  ...REAL_TIME_COMMANDS,
  ...STATUS_COMMANDS,
  ...STORED_IMAGE_COMMANDS,
  ...SYMBOL_COMMANDS,
  ...TEXT_COMMANDS,
  ...TEXT_STYLE_COMMANDS,
  ...USER_GLYPH_COMMANDS,
];

/** Every command that some model has. */
export const ALL_COMMANDS: readonly CommandRow<Engine>[] = [...CARRIED_OUT, ...unsupportedCommands(CARRIED_OUT)];

/** Made once for each set of commands: profiles come and go. */
const tables = new Map<string, CommandTable<Engine>>();

/** The commands that a model has, by prefix. */
export function commandTable(profile: Profile): CommandTable<Engine> {
  const absent = new Set(CLONE_COMMANDS.filter(({ isIn }) => !isIn(profile)).map(({ row }) => row));
  const strict = profile.quirks.printsUnknownBarcodes ? profile.supports.barcodeSystems : undefined;
  const key = [...absent].map(({ name }) => name).join() + (strict === undefined ? "" : `;${strict.join()}`);
  const known = tables.get(key);
  if (known !== undefined) return known;
  const rows = ALL_COMMANDS.filter((row) => !absent.has(row));
  const made = new CommandTable(
    strict === undefined ? rows : rows.map((row) => (row.name === "GS k" ? barcodesAmong(strict, row) : row)),
  );
  tables.set(key, made);
  return made;
}
