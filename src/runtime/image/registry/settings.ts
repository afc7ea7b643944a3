/** How registries are reached, as plain data: the same on every thread. */
import * as dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { RegistryClient } from '#runtime/image/registry/client.ts';

export interface RegistrySettings {
  /** `host[:port]` or address ranges that may be spoken to without TLS or with any certificate. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Certificate authorities (PEM) to trust beside the machine's. */
  readonly extraAuthorities?: readonly string[] | undefined;
  /** Addresses of hosts that the system cannot resolve, such as Services of the platform. */
  readonly hostAddresses?: Readonly<Record<string, string>> | undefined;
  /** An environment: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` and their lower-case forms are taken from it. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
  readonly userAgent?: string | undefined;
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
]);

/** The settings as data that other threads can be sent: of an environment, only what concerns proxies. */
export function plainSettings({ proxyEnv, ...rest }: RegistrySettings): RegistrySettings {
  const variables = PROXY_VARIABLES.flatMap((name) => (proxyEnv?.[name] ? [[name, proxyEnv[name]] as const] : []));
  return variables.length === 0 ? rest : { ...rest, proxyEnv: Object.fromEntries(variables) };
}

export function createRegistryClient(settings: RegistrySettings, clock: Clock): RegistryClient {
  const { hostAddresses, ...rest } = settings;
  return new RegistryClient({ ...rest, clock, lookup: hostAddresses ? lookupIn(hostAddresses) : undefined });
}

function lookupIn(addresses: Readonly<Record<string, string>>): LookupFunction {
  return (hostname, options, callback) => {
    const address = addresses[hostname];
    if (address === undefined) {
      dns.lookup(hostname, options, callback);
      return;
    }
    const family = address.includes(':') ? 6 : 4;
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}
