/** `pinnace kubeconfig`: prints the kubeconfig, or with `--path` where it is. */
import { existsSync, readFileSync } from 'node:fs';
import { type CliContext, CliError } from '#cli/context.ts';
import { statePaths } from '#protocol/platform.ts';

export interface KubeconfigOptions {
  readonly stateDir: string;
  readonly show: 'content' | 'path';
}

export function kubeconfig({ out }: CliContext, { stateDir, show }: KubeconfigOptions): number {
  const { kubeconfig: file } = statePaths(stateDir);
  if (!existsSync(file))
    throw new CliError(`there is no kubeconfig in ${stateDir}`, { cure: 'start a platform there: pinnace up' });
  out.line(show === 'path' ? file : readFileSync(file, 'utf8').trimEnd());
  return 0;
}
