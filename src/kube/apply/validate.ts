/** Whether a value fits its schema well enough to be merged: declared members, right sorts, distinct elements. */
import { isObject } from '#base/json.ts';
import { formatPathElement, memberElement } from '#kube/apply/path-element.ts';
import {
  asList,
  asMap,
  elementName,
  elementSchema,
  isAtomic,
  memberSchema,
  sortOf,
  UnnamedElementError,
} from '#kube/apply/typed-value.ts';
import { goSyntax, goType, goValue } from '#kube/go-text.ts';
import type { Schema } from '#kube/schema.ts';

interface Problem {
  readonly path: string;
  readonly message: string;
}

/** What is wrong, in structured-merge-diff's words; undefined when nothing is. */
export function typeErrors(schema: Schema, value: unknown): string | undefined {
  const problems = visit(schema, value, '').map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (problems.length === 0) return undefined;
  return problems.length === 1 ? problems[0] : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}

function visit(schema: Schema, value: unknown, path: string): Problem[] {
  if (value === null) return [];
  switch (sortOf(schema, value)) {
    case 'map':
      return isObject(value) ? visitMembers(schema, value, path) : [mismatch('map', value, path)];
    case 'list':
      return Array.isArray(value) ? visitElements(schema, value, path) : [mismatch('list', value, path)];
    default:
      return visitScalar(schema, value, path);
  }
}

function mismatch(expected: string, value: unknown, path: string): Problem {
  return { path, message: `expected ${expected}, got &{${goValue(value)}}` };
}

function visitMembers(schema: Schema, value: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  for (const [name, member] of Object.entries(asMap(value))) {
    const memberPath = `${path}${formatPathElement(memberElement(name))}`;
    const type = memberSchema(schema, name);
    if (type === undefined) return [...problems, { path: memberPath, message: 'field not declared in schema' }];
    problems.push(...visit(type, member, memberPath));
  }
  return problems;
}

function visitElements(schema: Schema, value: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, element] of asList(value).entries()) {
    const name = nameOf(schema, element, index);
    if (name instanceof UnnamedElementError) {
      return [...problems, { path, message: `element ${index}: ${name.message}` }];
    }
    if (names.has(name)) problems.push({ path, message: `duplicate entries for key ${formatPathElement(name)}` });
    names.add(name);
    problems.push(...visit(elementSchema(schema), element, `${path}${formatPathElement(name)}`));
  }
  return problems;
}

function nameOf(schema: Schema, element: unknown, index: number): string | UnnamedElementError {
  if (isAtomic(schema, 'list')) return `i:${index}`;
  try {
    return elementName(schema, element);
  } catch (error) {
    if (error instanceof UnnamedElementError) return error;
    throw error;
  }
}

function visitScalar(schema: Schema, value: unknown, path: string): Problem[] {
  const isScalar = typeof value !== 'object';
  const isUntyped = schema.type === 'int-or-string' || schema.format === 'quantity' || schema.type === 'any';
  if (isUntyped) return isScalar ? [] : [{ path, message: `expected any scalar, got &{${goValue(value)}}` }];
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const message = `expected numeric (int or float), got ${goType(value)}`;
      return typeof value === 'number' ? [] : [{ path, message }];
    }
    case 'boolean':
      return typeof value === 'boolean' ? [] : [{ path, message: `expected boolean, got &{${goValue(value)}}` }];
    default: {
      const message = `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
      return typeof value === 'string' ? [] : [{ path, message }];
    }
  }
}
