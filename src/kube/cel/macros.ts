/** Calls that are no calls: `has(a.b)`, and those that name a variable for the elements of a list or map. */
import { ACCUMULATOR, type Expr } from '#kube/cel/ast.ts';
import type { NodeFactory } from '#kube/cel/parser.ts';

export interface WrittenCall {
  /** Of the opening bracket. */
  readonly at: number;
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

interface Expansion {
  readonly make: NodeFactory;
  readonly at: number;
  readonly target: Expr;
  readonly args: readonly Expr[];
}

type Macro = (expansion: Expansion) => Expr;

/** The call, or what the macro of its name and number of arguments makes of it. */
export function expandMacro(make: NodeFactory, { at, name, target, args }: WrittenCall): Expr {
  if (target === undefined)
    return name === 'has' && args.length === 1 ? expandHas(make, at, args[0]) : make.call(at, name, args);
  const macro = MACROS.get(`${name}/${args.length}`);
  return macro ? macro({ make, at, target, args }) : make.call(at, name, args, target);
}

function expandHas(make: NodeFactory, at: number, arg: Expr | undefined): Expr {
  if (arg?.kind !== 'select') return make.fail(arg?.at ?? at, 'invalid argument to has() macro');
  return { ...arg, id: make.nextId(), at, isTest: true };
}

const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ['all/2', (expansion) => quantifier(expansion, ALL, 1)],
  ['all/3', (expansion) => quantifier(expansion, ALL, 2)],
  ['exists/2', (expansion) => quantifier(expansion, EXISTS, 1)],
  ['exists/3', (expansion) => quantifier(expansion, EXISTS, 2)],
  ['exists_one/2', (expansion) => quantifier(expansion, EXISTS_ONE, 1)],
  ['exists_one/3', (expansion) => quantifier(expansion, EXISTS_ONE, 2)],
  ['existsOne/2', (expansion) => quantifier(expansion, EXISTS_ONE, 1)],
  ['existsOne/3', (expansion) => quantifier(expansion, EXISTS_ONE, 2)],
  ['map/2', (expansion) => collected(expansion, { variables: 1, filter: undefined, element: expansion.args[1] })],
  [
    'map/3',
    (expansion) => collected(expansion, { variables: 1, filter: expansion.args[1], element: expansion.args[2] }),
  ],
  [
    'filter/2',
    (expansion) => collected(expansion, { variables: 1, filter: expansion.args[1], element: expansion.args[0] }),
  ],
  [
    'transformList/3',
    (expansion) => collected(expansion, { variables: 2, filter: undefined, element: expansion.args[2] }),
  ],
  [
    'transformList/4',
    (expansion) => collected(expansion, { variables: 2, filter: expansion.args[2], element: expansion.args[3] }),
  ],
  ['transformMap/3', (expansion) => mapped(expansion, { filter: undefined, value: expansion.args[2], isEntry: false })],
  [
    'transformMap/4',
    (expansion) => mapped(expansion, { filter: expansion.args[2], value: expansion.args[3], isEntry: false }),
  ],
  [
    'transformMapEntry/3',
    (expansion) => mapped(expansion, { filter: undefined, value: expansion.args[2], isEntry: true }),
  ],
  [
    'transformMapEntry/4',
    (expansion) => mapped(expansion, { filter: expansion.args[2], value: expansion.args[3], isEntry: true }),
  ],
  ['optMap/2', (expansion) => optionalMap(expansion, 'wrapped')],
  ['optFlatMap/2', (expansion) => optionalMap(expansion, 'plain')],
]);

interface Quantifier {
  init(expansion: Expansion): Expr;
  condition(expansion: Expansion): Expr;
  step(expansion: Expansion, predicate: Expr): Expr;
  result(expansion: Expansion): Expr;
}

const accu = ({ make, at }: Expansion) => make.ident(at, ACCUMULATOR);

const ALL: Quantifier = {
  init: ({ make, at }) => make.literal(at, true),
  condition: (expansion) => expansion.make.call(expansion.at, '@not_strictly_false', [accu(expansion)]),
  step: (expansion, predicate) => expansion.make.call(expansion.at, '_&&_', [accu(expansion), predicate]),
  result: accu,
};

const EXISTS: Quantifier = {
  init: ({ make, at }) => make.literal(at, false),
  condition: (expansion) => {
    const { make, at } = expansion;
    return make.call(at, '@not_strictly_false', [make.call(at, '!_', [accu(expansion)])]);
  },
  step: (expansion, predicate) => expansion.make.call(expansion.at, '_||_', [accu(expansion), predicate]),
  result: accu,
};

const EXISTS_ONE: Quantifier = {
  init: ({ make, at }) => make.literal(at, 0n),
  condition: ({ make, at }) => make.literal(at, true),
  step: (expansion, predicate) => {
    const { make, at } = expansion;
    const counted = make.call(at, '_+_', [accu(expansion), make.literal(at, 1n)]);
    return make.call(at, '_?_:_', [predicate, counted, accu(expansion)]);
  },
  result: (expansion) => {
    const { make, at } = expansion;
    return make.call(at, '_==_', [accu(expansion), make.literal(at, 1n)]);
  },
};

function quantifier(expansion: Expansion, kind: Quantifier, variables: 1 | 2): Expr {
  const predicate = expansion.args[variables] ?? expansion.target;
  return fold(expansion, variables, {
    init: kind.init(expansion),
    condition: kind.condition(expansion),
    step: kind.step(expansion, predicate),
    result: kind.result(expansion),
  });
}

interface Parts {
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

function fold(expansion: Expansion, variables: 1 | 2, parts: Parts): Expr {
  const { make, at, target } = expansion;
  const iterVar = variableName(expansion, 0, variables);
  const iterVar2 = variables === 2 ? variableName(expansion, 1, variables) : undefined;
  if (iterVar === iterVar2) return make.fail(expansion.args[1]?.at ?? at, `duplicate variable name: ${iterVar}`);
  return { kind: 'fold', id: make.nextId(), at, range: target, iterVar, iterVar2, accuVar: ACCUMULATOR, ...parts };
}

function variableName({ make, at, args }: Expansion, position: number, variables: 1 | 2): string {
  const arg = args[position];
  if (arg?.kind === 'ident') {
    if (arg.name !== '__result__') return arg.name;
    return make.fail(arg.at, 'iteration variable overwrites accumulator variable');
  }
  return make.fail(
    arg?.at ?? at,
    variables === 1 ? 'argument must be a simple name' : 'argument must be a simple variable name',
  );
}

interface Collection {
  readonly variables: 1 | 2;
  readonly filter: Expr | undefined;
  readonly element: Expr | undefined;
}

/** A list of what each element becomes. */
function collected(expansion: Expansion, { variables, filter, element }: Collection): Expr {
  const { make, at, target } = expansion;
  const appended = make.call(at, '_+_', [accu(expansion), make.list(at, [element ?? target])]);
  return fold(expansion, variables, {
    init: make.list(at, []),
    condition: make.literal(at, true),
    step: filter ? make.call(at, '_?_:_', [filter, appended, accu(expansion)]) : appended,
    result: accu(expansion),
  });
}

interface Mapping {
  readonly filter: Expr | undefined;
  readonly value: Expr | undefined;
  /** Whether the value is a map of its own, whose entries are added. */
  readonly isEntry: boolean;
}

function mapped(expansion: Expansion, { filter, value, isEntry }: Mapping): Expr {
  const { make, at, target, args } = expansion;
  const key = args[0] ?? target;
  const parts = isEntry ? [value ?? target] : [key, value ?? target];
  const inserted = make.call(at, 'cel.@mapInsert', [accu(expansion), ...parts]);
  return fold(expansion, 2, {
    init: { kind: 'map', id: make.nextId(), at, entries: [] },
    condition: make.literal(at, true),
    step: filter ? make.call(at, '_?_:_', [filter, inserted, accu(expansion)]) : inserted,
    result: accu(expansion),
  });
}

/** What becomes of an optional's value, if it has one: the value is bound by a fold over nothing. */
function optionalMap(expansion: Expansion, result: 'wrapped' | 'plain'): Expr {
  const { make, at, target, args } = expansion;
  const [variable, body = target] = args;
  if (variable?.kind !== 'ident') {
    return make.fail(
      variable?.at ?? at,
      `${result === 'wrapped' ? 'optMap' : 'optFlatMap'}() variable name must be a simple identifier`,
    );
  }
  const bound: Expr = {
    kind: 'fold',
    id: make.nextId(),
    at,
    range: make.list(at, []),
    iterVar: '#unused',
    iterVar2: undefined,
    accuVar: variable.name,
    init: make.call(at, 'value', [], target),
    condition: make.literal(at, false),
    step: make.ident(at, variable.name),
    result: body,
  };
  const some = result === 'wrapped' ? make.call(at, 'optional.of', [bound]) : bound;
  const none = make.call(at, 'optional.none', []);
  return make.call(at, '_?_:_', [make.call(at, 'hasValue', [], target), some, none]);
}
