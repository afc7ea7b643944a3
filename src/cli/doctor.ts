/** `pinnace doctor`: each precondition and its cure. Exit code 0 when a platform can run here. */
import type { CliContext } from '#cli/context.ts';
import { checkPreconditions, type Finding } from '#cli/preconditions.ts';

export interface DoctorOptions {
  readonly stateDir: string;
  readonly output: 'text' | 'json';
}

export async function doctor({ out, signal }: CliContext, { stateDir, output }: DoctorOptions): Promise<number> {
  const findings = await checkPreconditions(stateDir, signal);
  const isFit = findings.every(({ result }) => result !== 'failed');
  if (output === 'json') out.json({ ready: isFit, checks: findings });
  else for (const finding of findings) print(out, finding);
  return isFit ? 0 : 1;
}

function print(out: CliContext['out'], { name, result, detail, cure }: Finding): void {
  const mark = { ok: out.good('ok     '), warning: out.bad('warning'), failed: out.bad('failed ') }[result];
  out.line(`${mark}  ${name.padEnd(16)}${detail}`);
  if (cure !== undefined) out.line(`${' '.repeat(25)}${cure}`);
}
