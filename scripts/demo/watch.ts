/** Looks at the Service and its pods from the side, without the delays of a command line. */
import { Service } from '#knative/kinds/service.ts';
import { SERVICE_LABEL } from '#knative/labels.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { isReady, NAMESPACE } from './cluster.ts';
import { SERVICE, type Tour } from './tour.ts';

export interface ReadinessWatch extends Disposable {
  /** Milliseconds from the Service's creation to its being ready, as a watch of the API tells them. */
  readonly elapsedMs: Promise<number>;
}

export function watchReadiness({ cluster, clock }: Tour): ReadinessWatch {
  const { promise: elapsedMs, resolve, reject } = Promise.withResolvers<number>();
  // Whoever gave up waiting needs no answer.
  elapsedMs.catch(() => undefined);
  let createdAt: number | undefined;
  const options = { fieldSelector: `metadata.name=${SERVICE}` };
  const subscription = cluster.client.watch(
    { kind: Service, namespace: NAMESPACE, options },
    {
      onEvent({ object }) {
        createdAt ??= clock.monotonicMs();
        if (isReady(object as Service)) resolve(clock.monotonicMs() - createdAt);
      },
      onEnd: (error) => reject(error ?? new Error('the watch ended early')),
    },
  );
  return { elapsedMs, [Symbol.dispose]: () => subscription.close() };
}

/** Names of the Service's pods, those that are ending among them. */
export async function podNames({ cluster }: Tour): Promise<string[]> {
  const labelSelector = `${SERVICE_LABEL}=${SERVICE}`;
  const { items } = await cluster.client.list(Pod, { namespace: NAMESPACE, labelSelector });
  return items.map(({ metadata }) => metadata.name);
}
