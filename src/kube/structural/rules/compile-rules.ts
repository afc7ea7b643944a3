/** Rules of one part of a schema (x-kubernetes-validations) as programs, or why they are none. */
import { CelCompileError, CelConstantError } from '#kube/cel/errors.ts';
import { compileCel, type CelProgram } from '#kube/cel/compile.ts';
import type { DeclType } from '#kube/cel/decl-type.ts';
import { optionalType } from '#kube/cel/types.ts';
import { ParseError } from '#kube/parse-error.ts';
import { fieldAt } from '#kube/structural/crd/field-path.ts';
import type { JsonSchema, ValidationRule } from '#kube/structural/json-schema.ts';

export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined for an empty rule, and where `problem` says why. */
  readonly program: CelProgram | undefined;
  readonly problem: string | undefined;
  readonly message: CelProgram | undefined;
  readonly messageProblem: string | undefined;
  readonly usesOldSelf: boolean;
  /** Where errors are reported, below the value that the rule is about; empty for the value itself. */
  readonly fieldPath: string;
}

export function compileRules(schema: JsonSchema, self: DeclType): CompiledRule[] {
  return schema.rules.map((rule) => compileRule(schema, rule, self));
}

function compileRule(schema: JsonSchema, rule: ValidationRule, self: DeclType): CompiledRule {
  const oldSelf = rule.optionalOldSelf === true ? { ...self, type: optionalType(self.type) } : self;
  const variables = new Map([
    ['self', self],
    ['oldSelf', oldSelf],
  ]);
  const { program, problem } = compileText(rule.rule, variables, { prefix: '', type: 'bool', what: 'cel expression' });
  const wording = { prefix: 'messageExpression ', type: 'string', what: 'messageExpression' };
  const message = program === undefined ? NOTHING : compileText(rule.messageExpression, variables, wording);
  const field = rule.fieldPath === '' ? undefined : fieldAt(schema, rule.fieldPath);
  return {
    rule,
    program,
    problem,
    message: message.program,
    messageProblem: message.problem,
    usesOldSelf: program?.variables.has('oldSelf') ?? false,
    fieldPath: field === undefined || field instanceof ParseError ? '' : field.path,
  };
}

interface Compiled {
  readonly program: CelProgram | undefined;
  readonly problem: string | undefined;
}

interface Wording {
  readonly prefix: string;
  readonly type: string;
  readonly what: string;
}

const NOTHING: Compiled = { program: undefined, problem: undefined };

function compileText(text: string, variables: ReadonlyMap<string, DeclType>, wording: Wording): Compiled {
  if (text.trim() === '') return NOTHING;
  try {
    const program = compileCel(text, variables);
    if (program.type.kind === wording.type) return { program, problem: undefined };
    const article = `a ${wording.type}`;
    return { program: undefined, problem: `${wording.what} must evaluate to ${article}` };
  } catch (error) {
    if (error instanceof CelCompileError) {
      return { program: undefined, problem: `${wording.prefix}compilation failed: ${error.message}` };
    }
    if (!(error instanceof CelConstantError)) throw error;
    const instantiation = wording.prefix === '' ? 'program instantiation' : `${wording.prefix}instantiation`;
    return { program: undefined, problem: `${instantiation} failed: ${error.message}` };
  }
}
