/** A container as a Revision may declare it: the part of Kubernetes' container that Knative's CRD has. */
import { boolean, int32, int64, list, listMap, map, object, quantity, refine, required, string } from '#kube/schema.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '#kube/kinds/core/env.ts';
import type { SeccompProfile } from '#kube/kinds/core/security-context.ts';
import { nameOf, open, supplied, textOf } from '#knative/kinds/fields.ts';
import { probeSchema } from '#knative/kinds/probe.ts';
import { volumeMountSchema } from '#knative/kinds/volume.ts';

const optional = boolean('Whether it may be missing.');

const configMapKeyRef = object(
  { name: nameOf('Which ConfigMap.'), key: required(string('Which of its keys.')), optional },
  { doc: 'A key of a ConfigMap.', atomic: true },
);

const secretKeyRef = object(
  { name: nameOf('Which Secret.'), key: required(string('Which of its keys.')), optional },
  { doc: 'A key of a Secret.', atomic: true },
);

const envVar = object({
  name: required(string('Name of the variable.')),
  value: string('Its value; $(NAME) stands for an earlier variable.'),
  valueFrom: object(
    {
      configMapKeyRef,
      secretKeyRef,
      fieldRef: refine(open<ObjectFieldSelector>('A field of the pod; needs the flag kubernetes.podspec-fieldref.'), {
        atomic: true,
      }),
      resourceFieldRef: refine(
        open<ResourceFieldSelector>('A resource of the container; needs the flag kubernetes.podspec-fieldref.'),
        { atomic: true },
      ),
    },
    { doc: 'Where the value comes from instead.' },
  ),
});

const envFromSource = object({
  prefix: string('Put before each name.'),
  configMapRef: object({ name: nameOf('Which ConfigMap.'), optional }, { doc: 'All of a ConfigMap.', atomic: true }),
  secretRef: object({ name: nameOf('Which Secret.'), optional }, { doc: 'All of a Secret.', atomic: true }),
});

const containerPort = object({
  containerPort: supplied(int32('The port that the container listens on; 8080 when 0.')),
  name: string('The protocol spoken on it: h2c for HTTP/2, http1 or nothing for HTTP/1.'),
  protocol: refine(textOf<'TCP' | 'UDP' | 'SCTP'>('TCP.'), { default: 'TCP' }),
});

const securityContext = object({
  allowPrivilegeEscalation: boolean('Whether a process may gain more rights than its parent.'),
  capabilities: object(
    { add: list(string(), 'Capabilities to add.'), drop: list(string(), 'Capabilities to take away.') },
    { doc: 'Changes to the set of capabilities.' },
  ),
  privileged: boolean('May only be false.'),
  readOnlyRootFilesystem: boolean('Whether the root file system cannot be written.'),
  runAsGroup: int64('Group id of the process.'),
  runAsNonRoot: boolean('Refuse to run as user 0.'),
  runAsUser: int64('User id of the process.'),
  seccompProfile: object(
    {
      type: required(textOf<SeccompProfile['type']>('RuntimeDefault, Unconfined or Localhost.')),
      localhostProfile: string('The profile file, for Localhost.'),
    },
    { doc: 'Which system calls are let through.' },
  ),
});

export const containerSchema = object({
  name: supplied(string('Name, unique in the pod.')),
  image: string('The image to run.'),
  imagePullPolicy: textOf<'Always' | 'IfNotPresent' | 'Never'>('When to pull.'),
  command: list(string(), "Program to run instead of the image's entry point."),
  args: list(string(), "Arguments instead of the image's."),
  workingDir: string('Working directory.'),
  env: listMap(envVar, { keys: ['name'] }, 'Environment variables.'),
  envFrom: list(envFromSource, 'Whole ConfigMaps and Secrets as variables.'),
  ports: list(containerPort, 'At most one over all containers: the port that requests go to.'),
  livenessProbe: refine(probeSchema, { doc: 'The container is started again when it fails.' }),
  readinessProbe: refine(probeSchema, { doc: 'Requests come only while it succeeds.' }),
  startupProbe: refine(probeSchema, { doc: 'The other probes wait until it has succeeded.' }),
  resources: supplied(
    object(
      { limits: map(quantity(), 'The most that it may use.'), requests: map(quantity(), 'What it asks for.') },
      { doc: 'Processor time and memory.' },
    ),
  ),
  securityContext: refine(securityContext, { doc: 'Rights of the process.' }),
  terminationMessagePath: string('File in which the container may say why it ends.'),
  terminationMessagePolicy: textOf<'File' | 'FallbackToLogsOnError'>('File, or FallbackToLogsOnError.'),
  volumeMounts: listMap(volumeMountSchema, { keys: ['mountPath'] }, 'Where volumes appear.'),
});
