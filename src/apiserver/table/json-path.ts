/**
 * The part of Kubernetes' JSONPath that printer columns use: members, indexes, and the filter by a member's value.
 *
 *     .status.url     .spec.ports[0].port     .status.conditions[?(@.type=='Ready')].status     .metadata.labels['a.b/c']
 */
import { getMember, isObject } from '#base/json.ts';

type Step = (value: unknown) => unknown[];

export type JsonPath = (value: unknown) => unknown[];

/** Everything that the path finds, in order; a step that cannot be read finds nothing. */
export function compileJsonPath(path: string): JsonPath {
  const steps = parseSteps(path.trim().replace(/^\{|\}$/g, ''));
  return (value) => {
    let found: unknown[] = [value];
    for (const step of steps) found = found.flatMap(step);
    return found;
  };
}

const TOKEN = /\.((?:\\.|[^.[\]\\])+)|\[(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|(-?\d+)|(\*)|\?\(([^)]*)\))\]/y;

function parseSteps(path: string): Step[] {
  const steps: Step[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (!match) return [() => []];
    const [, plain, single, double, position, all, filter] = match;
    const member = plain ?? single ?? double;
    if (member !== undefined) steps.push(memberStep(member.replaceAll(/\\(.)/g, '$1')));
    else if (position !== undefined) steps.push(indexStep(Number(position)));
    else if (all !== undefined) steps.push((value) => (Array.isArray(value) ? value : []));
    else steps.push(filterStep(filter ?? ''));
  }
  return steps;
}

function memberStep(name: string): Step {
  if (name === '*') return (value) => (isObject(value) ? Object.values(value) : []);
  return (value) => {
    const member = isObject(value) ? getMember(value, name) : undefined;
    return member === undefined ? [] : [member];
  };
}

function indexStep(position: number): Step {
  return (value) => (Array.isArray(value) ? value.slice(position).slice(0, 1) : []);
}

/** `@.type=='Ready'`, or `@.name` for elements that have it at all. */
function filterStep(expression: string): Step {
  const [, path = '', operator, literal = ''] = /^\s*@(\.[^=!\s]+)\s*(==|!=)?\s*(.*?)\s*$/.exec(expression) ?? [];
  const steps = compileJsonPath(path);
  const wanted = literal.replaceAll(/^['"]|['"]$/g, '');
  const holds = (element: unknown): boolean => {
    const [actual] = steps(element);
    if (operator === undefined) return actual !== undefined;
    return (String(actual) === wanted) === (operator === '==');
  };
  return (value) => (Array.isArray(value) && path !== '' ? value.filter(holds) : []);
}
