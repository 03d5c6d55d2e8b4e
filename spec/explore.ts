/** One step of a protocol: what makes it possible, and what must hold for it to be allowed. */
export interface Rule<State> {
  readonly name: string;
  /** The step is there to be taken. */
  when(state: Readonly<State>): boolean;
  /** The protocol's own rules, by name. Taking any one away must break an invariant: see `mutants`. */
  readonly guards?: Readonly<Record<string, (state: Readonly<State>) => boolean>>;
  /** Changes the state that it is given. */
  apply(state: State): void;
}

export interface Specification<State> {
  readonly initial: State;
  readonly rules: readonly Rule<State>[];
  /** Name of what must hold in every state. */
  readonly invariants: Readonly<Record<string, (state: Readonly<State>) => boolean>>;
  /** What is wrong with a state that no step leaves; undefined when it is a proper end. */
  unfinished(state: Readonly<State>): string | undefined;
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  readonly ends: number;
  /** The shortest story that breaks something. */
  readonly violation?: { readonly what: string; readonly story: readonly string[] };
}

type Numbers = { readonly [name: string]: number };

/** Every state that can be reached, breadth first. `without` takes one guard away: `rule: guard`. */
export function explore<State extends Numbers>(spec: Specification<State>, without?: string): Exploration {
  const rules = spec.rules.map((rule) => ({
    ...rule,
    guards: guardsOf(rule, without),
    apply: rule.apply,
    when: rule.when,
  }));
  const states: State[] = [spec.initial];
  const known = new Set([keyOf(spec.initial)]);
  const cameFrom: number[] = [-1];
  const by: string[] = ["begin"];
  const counts = { steps: 0, ends: 0 };
  const story = (index: number): string[] => {
    const names: string[] = [];
    for (let at = index; at > 0; at = cameFrom[at] ?? 0) names.push(by[at] ?? "");
    return names.reverse();
  };
  for (let index = 0; index < states.length; index++) {
    const state = states[index];
    if (state === undefined) break;
    const broken = Object.entries(spec.invariants).find(([, holds]) => !holds(state));
    if (broken !== undefined)
      return { states: states.length, ...counts, violation: { what: broken[0], story: story(index) } };
    let left = false;
    for (const rule of rules) {
      if (!rule.when(state) || !rule.guards.every((guard) => guard(state))) continue;
      const next = { ...state };
      rule.apply(next);
      left = true;
      counts.steps += 1;
      const key = keyOf(next);
      if (known.has(key)) continue;
      known.add(key);
      states.push(next);
      cameFrom.push(index);
      by.push(rule.name);
    }
    if (left) continue;
    counts.ends += 1;
    const what = spec.unfinished(state);
    if (what !== undefined) return { states: states.length, ...counts, violation: { what, story: story(index) } };
  }
  return { states: states.length, ...counts };
}

/** Every guard that can be taken away: `rule: guard`. */
export function mutants<State>(spec: Specification<State>): string[] {
  return spec.rules.flatMap((rule) => Object.keys(rule.guards ?? {}).map((guard) => `${rule.name}: ${guard}`));
}

function guardsOf<State>(rule: Rule<State>, without: string | undefined): ((state: Readonly<State>) => boolean)[] {
  return Object.entries(rule.guards ?? {}).flatMap(([name, guard]) =>
    `${rule.name}: ${name}` === without ? [] : [guard],
  );
}

function keyOf(state: Numbers): string {
  let key = "";
  for (const name in state) key += String.fromCharCode(48 + (state[name] ?? 0));
  return key;
}
