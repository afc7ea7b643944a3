/** Conversions of literals, which are done once and not each time: `duration('1h')`. */
import type { Checked, ResolvedCall } from '#kube/cel/checker.ts';
import { CelConstantError, CelFailure } from '#kube/cel/errors.ts';
import { DYN } from '#kube/cel/types.ts';
import { isOfType } from '#kube/cel/values.ts';
import { newWork } from '#kube/cel/work.ts';

const CONVERSIONS: ReadonlySet<string> = new Set(
  'bool bytes double duration dyn int string timestamp type uint'.split(' '),
);

/** Whether the call converts a literal, or what such a call makes. */
export function isConstantConversion(call: ResolvedCall, calls: Checked['calls']): boolean {
  const [arg] = call.args;
  if (!CONVERSIONS.has(call.name) || call.args.length !== 1 || arg === undefined) return false;
  const inner = calls.get(arg.id);
  return arg.kind === 'literal' || (inner !== undefined && isConstantConversion(inner, calls));
}

/** Throws `CelConstantError` when one of them cannot be done. */
export function checkConstants(checked: Checked): void {
  for (const call of checked.calls.values()) {
    const [arg] = call.args;
    if (!CONVERSIONS.has(call.name) || call.args.length !== 1 || arg?.kind !== 'literal') continue;
    const chosen = call.overloads.find(({ params: [type = DYN] }) => isOfType(arg.value, type));
    const failure = chosen && attempt(() => chosen.run([arg.value], newWork()));
    if (failure) throw new CelConstantError(failure.message);
  }
}

function attempt(run: () => unknown): CelFailure | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof CelFailure) return error;
    throw error;
  }
}
