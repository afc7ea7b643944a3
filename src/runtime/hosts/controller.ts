/**
 * Gives every public host of every Ingress a line in /etc/hosts, so that the URL in a Service's status works in every
 * client on this machine as it is printed. (Names below `localhost` resolve by themselves in curl and browsers only.)
 */
import type { Caches } from '#client/caches.ts';
import { Controller, type ControllerEnvironment, watching } from '#controller/controller.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { HOSTS_FILE, writeHosts } from '#runtime/hosts/hosts-file.ts';

const KEY = 'hosts';

/** While the file can't be written, it is tried again after this long; everything else goes on. */
const RETRY_MS = 10_000;

export interface HostsControllerOptions extends ControllerEnvironment {
  readonly caches: Caches;
  readonly instance: string;
  /** Where the gateway listens. */
  readonly address: string;
  readonly file?: string;
}

export function createHostsController(options: HostsControllerOptions): Controller {
  const ingresses = options.caches.of(Ingress);
  const { clock, instance, address, file = HOSTS_FILE } = options;
  return new Controller({
    ...options,
    name: 'hosts',
    sources: [watching(ingresses, () => [KEY])],
    reconcile: async (_key, { signal, logger }) => {
      const hosts = ingresses.list().flatMap(publicHosts);
      try {
        await writeHosts({ clock, file }, { instance, address, hosts }, signal);
        return undefined;
      } catch (error) {
        logger.warn(`${file} could not be written: URLs below localhost may not resolve in every client`, { error });
        return { requeueAfterMs: RETRY_MS };
      }
    },
  });
}

function publicHosts({ spec }: Ingress): string[] {
  return (spec?.rules ?? [])
    .filter(({ visibility }) => visibility !== 'ClusterLocal')
    .flatMap(({ hosts }) => hosts ?? []);
}
