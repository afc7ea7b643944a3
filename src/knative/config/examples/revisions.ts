import { type Setting, setting } from '#knative/config/examples/setting.ts';

export const defaultsSettings: readonly Setting[] = [
  setting(
    'revision-timeout-seconds',
    '300',
    'Seconds that a request may take, in revisions that set no timeoutSeconds.',
  ),
  setting('max-revision-timeout-seconds', '600', 'The largest timeoutSeconds that a revision may ask for.'),
  setting(
    'revision-response-start-timeout-seconds',
    '300',
    'Seconds until the first byte of an answer, in revisions that set no responseStartTimeoutSeconds. When it is not ' +
      'set here, it is what revision-timeout-seconds says.',
  ),
  setting(
    'revision-idle-timeout-seconds',
    '0',
    'Seconds without a byte of the answer after which a request is given up; 0 for never.',
  ),
  setting(
    'revision-cpu-request',
    '400m',
    'Processor time that a container requests when it says nothing itself. Nothing is set unless this key is.',
  ),
  setting('revision-memory-request', '100M', 'The same for memory. Nothing is set unless this key is.'),
  setting('revision-ephemeral-storage-request', '500M', 'The same for disk. Nothing is set unless this key is.'),
  setting('revision-cpu-limit', '1000m', 'The limit on processor time. Nothing is set unless this key is.'),
  setting('revision-memory-limit', '200M', 'The limit on memory. Nothing is set unless this key is.'),
  setting('revision-ephemeral-storage-limit', '750M', 'The limit on disk. Nothing is set unless this key is.'),
  setting(
    'container-name-template',
    'user-container',
    'Name of a container that has none: a Go template over the metadata of the parent, such as c-{{.Name}}.',
  ),
  setting('init-container-name-template', 'init-container', 'The same for init containers.'),
  setting('container-concurrency', '0', 'The containerConcurrency of revisions that set none; 0 for no limit.'),
  setting('container-concurrency-max-limit', '1000', 'The largest containerConcurrency that is accepted.'),
  setting('allow-container-concurrency-zero', 'true', 'Whether a containerConcurrency of 0 is accepted.'),
  setting(
    'enable-service-links',
    'false',
    'What enableServiceLinks is set to where a revision leaves it out; "default" leaves it to Kubernetes. With many ' +
      'Services in a namespace, links make containers start slowly.',
  ),
];

export const deploymentSettings: readonly Setting[] = [
  setting(
    'registries-skipping-tag-resolving',
    'kind.local,ko.local,dev.local',
    'Registries whose images keep their tag. Elsewhere a tag is resolved to a digest when the revision is made.',
  ),
  setting('digest-resolution-timeout', '10s', 'How long one attempt to resolve a tag may take.'),
  setting('progress-deadline', '600s', 'How long a revision may take to become ready before it counts as failed.'),
  setting('queue-sidecar-cpu-request', '25m', 'Processor time that the queue-proxy requests, where there is one.'),
  setting(
    'queue-sidecar-token-audiences',
    '',
    'Audiences, between commas, of tokens that the queue-proxy gets. No token when empty.',
  ),
  setting('queue-sidecar-rootca', '', 'A root certificate that the queue-proxy trusts in addition.'),
  setting(
    'queue-sidecar-tls-min-version',
    '',
    'Oldest TLS version of the queue-proxy, such as 1.2; empty for its own.',
  ),
  setting('queue-sidecar-tls-max-version', '', 'Newest TLS version of the queue-proxy; empty for its own.'),
  setting(
    'queue-sidecar-tls-cipher-suites',
    '',
    'Cipher suites of the queue-proxy, between commas; empty for its own.',
  ),
  setting('queue-sidecar-tls-curve-preferences', '', 'Curves of the queue-proxy, between commas; empty for its own.'),
  setting(
    'default-affinity-type',
    'prefer-spread-revision-over-nodes',
    'Pods of a revision are put on different nodes where possible; "none" for no preference.',
  ),
  setting(
    'runtime-class-name',
    '',
    'RuntimeClasses for pods, as a YAML mapping: name: {selector: {label: value}}. The class with most matching ' +
      'labels wins; one without a selector is for all.',
  ),
  setting(
    'pod-is-always-schedulable',
    'false',
    'With "true" an unschedulable pod does not make its revision fail: a node will come, so it only waits.',
  ),
];

export const gcSettings: readonly Setting[] = [
  setting(
    'retain-since-create-time',
    '48h',
    'How long a revision is kept since it was made, traffic or not; "disabled" leaves its age out of account.',
  ),
  setting(
    'retain-since-last-active-time',
    '15h',
    'How long a revision is kept since a route last led to it; "disabled" leaves that out of account. When both are ' +
      'disabled, no revision is ever deleted for being old.',
  ),
  setting('min-non-active-revisions', '20', 'So many revisions without traffic are kept in any case.'),
  setting(
    'max-non-active-revisions',
    '1000',
    'Beyond so many without traffic the oldest are deleted, whatever their age; "disabled" for no bound.',
  ),
];
