/** Where the log of one life of a container is: `DIR/pod-logs/NAMESPACE_POD_UID/CONTAINER/ATTEMPT.log`. */
import path from 'node:path';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { nameOf, namespaceOf, uidOf } from '#kube/object.ts';

export interface LifeNumber {
  readonly pod: Pod;
  readonly container: string;
  readonly attempt: number;
}

export function logPath(podLogsDir: string, { pod, container, attempt }: LifeNumber): string {
  const folder = `${namespaceOf(pod)}_${nameOf(pod)}_${uidOf(pod)}`;
  return path.join(podLogsDir, folder, container, `${attempt}.log`);
}
