/** Measured numbers by name, units last; nested by what was measured. */
export interface Figures {
  readonly [name: string]: number | string | undefined | Figures;
}

/** Tells a person about a figure as soon as it is there. */
export type Say = (line: string) => void;

export interface Bench {
  readonly about: string;
  run(say: Say): Promise<Figures>;
}
