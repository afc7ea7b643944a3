/**
 * Rules against what Kubernetes 1.33 itself made of them: compile errors with their places, estimated costs, results
 * and actual costs (`#kube/cel/fixtures/recorded-rules.json`).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { MAX_REQUEST_BYTES } from '#kube/cel/decl-type.ts';
import { ParseError } from '#kube/parse-error.ts';
import { type JsonObject, readJsonSchema } from '#kube/structural/json-schema.ts';
import { compileRules } from '#kube/structural/rules/compile-rules.ts';
import { declare } from '#kube/structural/rules/declare.ts';
import { runRules } from '#kube/structural/rules/evaluate.ts';
import { ruleTree } from '#kube/structural/rules/rule-tree.ts';

interface RecordedRule {
  readonly rule: string | JsonObject;
  readonly schema?: JsonObject;
  readonly value?: unknown;
  readonly old?: unknown;
  readonly expect: {
    readonly problem?: string;
    readonly messageProblem?: string;
    readonly maxCost: string;
    readonly cardinality: string;
    readonly errors?: readonly string[];
    readonly cost: number;
  };
}

interface Recording {
  readonly schema: JsonObject;
  readonly value: unknown;
  readonly old: unknown;
  readonly cases: readonly RecordedRule[];
}

const FIXTURE = path.join(import.meta.dirname, '../../cel/fixtures/recorded-rules.json');
/** Kubernetes gives the type of `self` a name with a number that differs from run to run. */
const recording = JSON.parse(readFileSync(FIXTURE, 'utf8').replaceAll(/selfType[0-9]+/g, 'self')) as Recording;

/** Beyond 53 bits costs are not exact here; they are far beyond every limit. */
function rounded(cost: number): number {
  return cost > Number.MAX_SAFE_INTEGER ? Number(cost.toPrecision(10)) : cost;
}

function schemaOf(one: RecordedRule) {
  const rule = typeof one.rule === 'string' ? { rule: one.rule, message: 'm' } : one.rule;
  const schema = readJsonSchema({ ...(one.schema ?? recording.schema), 'x-kubernetes-validations': [rule] });
  assert.ok(!(schema instanceof ParseError));
  return schema;
}

suite('rules as Kubernetes has them', () => {
  assert.ok(recording.cases.length > 300);
  for (const one of recording.cases) {
    test(typeof one.rule === 'string' ? one.rule : JSON.stringify(one.rule), () => {
      const schema = schemaOf(one);
      const self = declare(schema, 'self', { isResource: false });
      assert.ok(self);
      const [compiled] = compileRules(schema, self);
      const rules = ruleTree(schema, { isResource: false });
      assert.ok(rules);
      const { value, old } = one.schema ? one : recording;
      const run = runRules(rules, { value, old, path: '' });
      const errors = run.errors.map(({ field, message }) => `${field}: ${message}`);
      assert.deepEqual(
        {
          problem: compiled?.problem,
          messageProblem: compiled?.messageProblem,
          maxCost: rounded(compiled?.program?.maxCost ?? 0),
          cardinality: Math.floor(MAX_REQUEST_BYTES / (self.minBytes + 1)),
          errors,
          cost: run.cost,
        },
        {
          problem: one.expect.problem,
          messageProblem: one.expect.messageProblem,
          maxCost: rounded(Number(one.expect.maxCost)),
          cardinality:
            one.expect.problem === undefined
              ? Number(one.expect.cardinality)
              : Math.floor(MAX_REQUEST_BYTES / (self.minBytes + 1)),
          errors: one.expect.errors ?? [],
          cost: one.expect.cost,
        },
      );
    });
  }
});
