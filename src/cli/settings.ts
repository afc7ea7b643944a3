/**
 * The settings of a platform: what the flags say, else what it had before, else the defaults. They are written down
 * before its processes start and do not change while it runs.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { deepEqual } from '#base/json.ts';
import type { AuditPolicy } from '#kube/audit/policy.ts';
import { auditFile } from '#cli/audit-flags.ts';
import { type CliContext, CliError } from '#cli/context.ts';
import { readSettings } from '#cli/platform.ts';
import { type ListenerName, type PlatformSettings, statePaths } from '#protocol/platform.ts';
import { NoFreeRangeError, planNetwork } from '#runtime/network/address-plan.ts';
import { ensureBridge } from '#runtime/network/bridge.ts';
import { takenRanges, withNetworkLock } from '#runtime/network/taken-ranges.ts';
import { writeJson } from '#supervisor/state-file.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';

type PortName = Exclude<ListenerName, 'local' | 'cluster'>;

/** sun_path of Linux, without its NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

export const DEFAULT_STATE_DIR = '/var/lib/pinnace';
const DEFAULT_LISTEN_ADDRESS = '127.0.0.1';

/** Tried in this order where no port was asked for; 0: any. */
const DEFAULT_PORTS: Readonly<Record<PortName, readonly number[]>> = {
  api: [6443, 0],
  http: [80, 8080, 0],
  https: [443, 8443, 0],
};

/** As the flags have it; what is undefined was not said. */
export interface UpFlags {
  readonly apiPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly httpsPort?: number | undefined;
  readonly listen?: string | undefined;
  readonly hosts?: boolean | undefined;
  readonly logLevel?: string | undefined;
  /** Empty: none. */
  readonly auditLog?: string | undefined;
  readonly auditPolicy?: AuditPolicy | undefined;
}

/** The same name for the same directory, however it was written. */
export function canonicalStateDir(stateDir: string): string {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return demandShort(realpathSync(stateDir));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`the state directory ${stateDir} cannot be used: ${why}`, {
      cure: 'choose another one with --state-dir',
      cause: error,
    });
  }
}

/** Our processes meet at sockets in it, whose paths the kernel limits. */
function demandShort(stateDir: string): string {
  const excess = Buffer.byteLength(statePaths(stateDir).supervisorSocket) - MAX_SOCKET_PATH_BYTES;
  if (excess > 0) throw new Error(`its path is ${excess} bytes too long for the sockets in it`);
  return stateDir;
}

/** Chooses names, address ranges and ports, makes the bridge that holds the ranges, and writes `config.json`. */
export async function writeSettings(
  context: Pick<CliContext, 'clock' | 'signal'>,
  stateDir: string,
  flags: UpFlags,
): Promise<PlatformSettings> {
  const paths = statePaths(stateDir);
  const kept = readSettings(paths);
  const network = await reserveNetwork(context, stateDir, kept);
  const settings: PlatformSettings = { ...chosen(flags, kept), ...network, stateDir };
  try {
    writeJson(paths.config, settings);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${paths.config} cannot be written: ${why}`, {
      cure: 'make room or access there',
      cause: error,
    });
  }
  return settings;
}

/** What would be different from `settings` by these flags; empty when nothing is. */
export function changedBy(flags: UpFlags, settings: PlatformSettings): string[] {
  const wanted = chosen(flags, settings);
  const names = ['apiPort', 'httpPort', 'httpsPort', 'listenAddress', 'manageHosts', 'logLevel'] as const;
  const isOtherAudit = !deepEqual(wanted.audit, settings.audit);
  return [...names.filter((name) => wanted[name] !== settings[name]), ...(isOtherAudit ? ['audit'] : [])];
}

function chosen(flags: UpFlags, kept: PlatformSettings | undefined) {
  const asked: Record<PortName, number | undefined> = {
    api: flags.apiPort ?? askedBefore(kept, 'api'),
    http: flags.httpPort ?? askedBefore(kept, 'http'),
    https: flags.httpsPort ?? askedBefore(kept, 'https'),
  };
  const portOf = (name: PortName) => asked[name] ?? DEFAULT_PORTS[name][0] ?? 0;
  const names = Object.keys(DEFAULT_PORTS) as PortName[];
  const free = names.filter((name) => asked[name] === undefined);
  return {
    listenAddress: flags.listen ?? kept?.listenAddress ?? DEFAULT_LISTEN_ADDRESS,
    apiPort: portOf('api'),
    httpPort: portOf('http'),
    httpsPort: portOf('https'),
    fallbackPorts: Object.fromEntries(free.map((name) => [name, DEFAULT_PORTS[name].slice(1)])),
    manageHosts: flags.hosts ?? kept?.manageHosts ?? true,
    logLevel: flags.logLevel ?? kept?.logLevel ?? 'info',
    ...auditOf(flags, kept),
  };
}

function auditOf(
  { auditLog, auditPolicy }: UpFlags,
  kept: PlatformSettings | undefined,
): Pick<PlatformSettings, 'audit'> {
  const log = auditFile(auditLog) ?? kept?.audit?.log ?? '';
  const policy = auditPolicy ?? kept?.audit?.policy;
  if (log !== '') return { audit: { log, ...(policy ? { policy } : {}) } };
  if (!auditPolicy) return {};
  throw new CliError('--audit-policy needs an audit log', { cure: 'say where it goes with --audit-log' });
}

/** A port that was asked for has no fallback, which is how it is told from a default. */
function askedBefore(kept: PlatformSettings | undefined, name: PortName): number | undefined {
  if (!kept || kept.fallbackPorts?.[name]) return undefined;
  return { api: kept.apiPort, http: kept.httpPort, https: kept.httpsPort }[name];
}

async function reserveNetwork(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  stateDir: string,
  kept: PlatformSettings | undefined,
) {
  const reserve = () => {
    using netlink = new NetlinkSocket();
    const { bridge } = planNetwork({ stateDir, taken: [] });
    const plan = planNetwork({ stateDir, taken: takenRanges(netlink, bridge), ...(kept ? { kept } : {}) });
    ensureBridge(netlink, plan);
    return plan;
  };
  try {
    return await withNetworkLock(reserve, { clock, signal });
  } catch (error) {
    if (!(error instanceof NoFreeRangeError)) throw error;
    throw new CliError(error.message, { cure: 'remove a route that is not needed: ip route', cause: error });
  }
}
