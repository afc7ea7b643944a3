import { type Setting, setting } from '#knative/config/examples/setting.ts';

export const autoscalerSettings: readonly Setting[] = [
  setting(
    'container-concurrency-target-percentage',
    '70',
    'Share of its concurrency limit or target, in percent, up to which a pod is loaded on average before another one ' +
      'is added. A value of at most 1 is taken as a fraction.',
  ),
  setting(
    'container-concurrency-target-default',
    '100',
    'Requests at once per pod to aim for where a revision sets neither a target nor a containerConcurrency.',
  ),
  setting(
    'requests-per-second-target-default',
    '200',
    'Requests per second and pod to aim for, in revisions with the metric rps and no target.',
  ),
  setting(
    'target-burst-capacity',
    '211',
    'How many requests at once beyond the present load are buffered by the activator rather than sent to pods. ' +
      '0 takes the activator out of the way whenever there are pods, -1 leaves it in for ever.',
  ),
  setting(
    'stable-window',
    '60s',
    'Over how long load is averaged for ordinary decisions: 6s to 1h, whole seconds. A revision that had no request ' +
      'for so long is scaled to zero.',
  ),
  setting(
    'panic-window-percentage',
    '10.0',
    'Length of the short window that notices bursts, in percent of the stable window: 1 to 100.',
  ),
  setting(
    'panic-threshold-percentage',
    '200.0',
    'When the load of the short window reaches this percentage of what the pods can take, the autoscaler panics: it ' +
      'decides by the short window and takes no pod away.',
  ),
  setting('max-scale-up-rate', '1000.0', 'By which factor the number of pods may grow in one step; above 1.'),
  setting('max-scale-down-rate', '2.0', 'By which factor the number of pods may shrink in one step; above 1.'),
  setting('enable-scale-to-zero', 'true', 'Whether idle revisions lose their last pod.'),
  setting(
    'scale-to-zero-grace-period',
    '30s',
    'How long at most the last pod stays after the decision for zero, so that the network can be rearranged first. ' +
      'It is no minimum: see the next setting for that.',
  ),
  setting(
    'scale-to-zero-pod-retention-period',
    '0s',
    'How long at least the last pod stays after the decision for zero.',
  ),
  setting('pod-autoscaler-class', 'kpa.autoscaling.knative.dev', 'Which autoscaler looks after revisions by default.'),
  setting(
    'activator-capacity',
    '100.0',
    'Requests at once that one activator is meant for; from it follows how many of them are in the way of a revision.',
  ),
  setting(
    'initial-scale',
    '1',
    'How many pods a new revision starts with, and must have had ready once, before it is Ready.',
  ),
  setting('allow-zero-initial-scale', 'false', 'Whether an initial scale of 0 is accepted, here and on revisions.'),
  setting('min-scale', '0', 'Fewest pods of a revision that gets traffic and has no minimum of its own.'),
  setting('max-scale', '0', 'Most pods of a revision without a maximum of its own; 0 for no limit.'),
  setting('max-scale-limit', '0', 'The highest maximum that a revision may ask for; 0 for no limit.'),
  setting(
    'scale-down-delay',
    '0s',
    'For how long load must stay low before pods are taken away; whole seconds. A shorter dip costs no pod.',
  ),
];
