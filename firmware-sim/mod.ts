/** The printer simulator's public module. */
export type { Reply } from "./back-channel.ts";
export { createFastClock, createRealClock, type SimClock, VirtualClock } from "./clock.ts";
export { type CommandCoverage, listCommands } from "./coverage.ts";
export { FAULT_GUIDE, type FaultGuide } from "./fault-guide.ts";
export { FAULT_KINDS, type Fault, type FaultKind, type FaultText, parseFault } from "./faults.ts";
export type { Page, TextLine } from "./paper.ts";
export { pageToBraille, pageToHalfBlocks } from "./paper-view.ts";
export type { Diagnostic } from "./parser.ts";
export { pageToPng } from "./png.ts";
export type { InProcessConnection } from "./ports/in-process.ts";
export type { SerialSettings } from "./ports/serial-line.ts";
export type { UsbCable } from "./ports/usbip.ts";
export type { DrawerPulse, PrinterState, Sound } from "./printer-state.ts";
export {
  DEFAULT_PROFILE_NAME,
  findProfile,
  PROFILES,
  type Profile,
  withOverflow,
  withSmallBuffer,
  withStrictRealTime,
} from "./profiles.ts";
export {
  type BoundedPaper,
  endsWithinCommand,
  type RenderOptions,
  renderEscpos,
  renderEscposWithin,
} from "./render.ts";
export { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";
export type { Conditions } from "./status.ts";
export { pageToSvg } from "./svg.ts";
export { locateText, type PrintedPage, type TextPlace } from "./text-places.ts";
export { startWebPage, type WebPage } from "./web-page.ts";
