/** What a Revision's spec gets where it says nothing. Works in place. */
import type { DefaultResources } from '#knative/config/defaults.ts';
import type { KnativeConfig } from '#knative/config/all.ts';
import { childName } from '#knative/names.ts';
import type { Container, Probe, RevisionSpec } from '#knative/kinds/revision-spec.ts';
import { isUpdate, type SpecContext } from '#knative/admission/context.ts';
import { secureContainer } from '#knative/admission/pod/security.ts';
import { isWritable } from '#knative/admission/pod/volumes.ts';

export function defaultRevisionSpec(spec: RevisionSpec, context: SpecContext): void {
  const { config } = context;
  defaultTimeouts(spec, config);
  spec.containerConcurrency ??= config.defaults.containerConcurrency;
  // Absent or null: the schema refuses it later, in its own words.
  if (!Array.isArray(spec.containers)) return;
  defaultNames(spec, context);
  for (const container of spec.containers) {
    defaultContainer(container, spec, config);
    secureContainer(container, spec.securityContext ?? {}, config.features);
  }
  for (const container of spec.initContainers ?? []) {
    secureContainer(container, spec.securityContext ?? {}, config.features);
  }
  if (isUpdate(context) || spec.containers.length === 0) return;
  spec.enableServiceLinks ??= config.defaults.enableServiceLinks;
}

/** A default only applies where it is shorter than the timeout as a whole. */
function defaultTimeouts(spec: RevisionSpec, { defaults }: KnativeConfig): void {
  spec.timeoutSeconds ||= defaults.revisionTimeoutSeconds;
  const { revisionIdleTimeoutSeconds: idle, revisionResponseStartTimeoutSeconds: start } = defaults;
  if (idle !== 0 && idle < spec.timeoutSeconds) spec.idleTimeoutSeconds ??= idle;
  if (start !== 0 && start < spec.timeoutSeconds) spec.responseStartTimeoutSeconds ??= start;
}

function defaultNames(spec: RevisionSpec, { config, parent }: SpecContext): void {
  const { containers, initContainers = [] } = spec;
  const taken = new Set([...containers, ...initContainers].map(({ name }) => name));
  nameContainers(containers, config.defaults.userContainerName(parent), taken);
  nameContainers(initContainers, config.defaults.initContainerName(parent), taken);
}

/** Several containers, or a name that the user has taken, get a number each. */
function nameContainers(containers: readonly Container[], name: string, taken: ReadonlySet<string>): void {
  let suffix = 0;
  const numbered = () => childName(name, `-${suffix++}`);
  for (const container of containers) {
    if (container.name !== '') continue;
    container.name = containers.length > 1 || taken.has(name) ? numbered() : name;
    while (taken.has(container.name)) container.name = numbered();
  }
}

function defaultContainer(container: Container, spec: RevisionSpec, { defaults }: KnativeConfig): void {
  const { limits, requests } = container.resources;
  const filled = { limits: fill(limits, defaults.limits), requests: fill(requests, defaults.requests) };
  container.resources = Object.fromEntries(Object.entries(filled).filter(([, amounts]) => amounts !== undefined));
  const isServing = spec.containers.length === 1 || (container.ports ?? []).length > 0;
  if (isServing) container.readinessProbe = withHandler(container.readinessProbe);
  if (container.readinessProbe) defaultReadiness(container.readinessProbe);
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe]) {
    if (probe?.grpc) probe.grpc.service ??= '';
  }
  for (const mount of container.volumeMounts ?? []) {
    const volume = spec.volumes?.find(({ name }) => name === mount.name);
    if (!isWritable(volume)) mount.readOnly = true;
  }
}

/** The user's amounts and, for what they leave out, the defaults; undefined when there is none at all. */
function fill(
  amounts: Record<string, string> | undefined,
  defaults: DefaultResources,
): Record<string, string> | undefined {
  const added = Object.entries(defaults).filter(([, amount]) => amount !== undefined);
  const filled: Record<string, string> = { ...(Object.fromEntries(added) as Record<string, string>), ...amounts };
  return Object.keys(filled).length === 0 ? undefined : filled;
}

/** Without a handler a readiness probe tries the port by TCP. */
function withHandler(probe: Probe = {}): Probe {
  const hasHandler = probe.exec ?? probe.httpGet ?? probe.tcpSocket ?? probe.grpc;
  return hasHandler ? probe : { ...probe, tcpSocket: { port: 0 } };
}

/** Without a period the platform probes as often as is sensible, and the other numbers have no meaning. */
function defaultReadiness(probe: Probe): void {
  probe.successThreshold ||= 1;
  if (!probe.periodSeconds) return;
  probe.failureThreshold ||= 3;
  probe.timeoutSeconds ||= 1;
}
