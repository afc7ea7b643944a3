/** `pinnace version`. */
import type { CliContext } from '#cli/context.ts';

export function version({ out, version: own }: CliContext, options: { output: 'text' | 'json' }): number {
  if (options.output === 'json') out.json({ version: own, node: process.version, knative: '1.17', kubernetes: '1.33' });
  else out.line(`pinnace ${own} (Node ${process.version}; speaks Knative Serving 1.17 and Kubernetes 1.33)`);
  return 0;
}
